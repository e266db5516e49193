/** What every round starts from a copy of: a vault that has a past. */

import type { PlaceNames } from '../races/support.ts'
import { Model } from './model.ts'
import type { Process } from './process.ts'

/** plain: before any rotation of the root key. rotated: after one, and some shreds since. */
export type TemplateName = 'plain' | 'rotated'

export interface HowToOpen {
  readonly directory: string
  readonly file: string
}

export const CACHE_BOUND = 100

/** Tenants in which nothing is ever shredded: a rotation wraps their wrapping keys once more, whatever a writer does meanwhile. */
export const UNMARKED = ['umbra-0', 'umbra-1']

/** Fills an open, empty vault, and returns what is then known of it. */
export async function furnish(maker: Process): Promise<Model> {
  const model = new Model()
  const put = async (place: PlaceNames): Promise<void> => {
    const value = `${Object.values(place).join('.')}-${model.values.length}@example.com`
    model.add({ place, value, stored: await maker.run('encrypt', { place, value }) })
  }
  const change = async (task: 'shred' | 'suspend', place: PlaceNames): Promise<void> => {
    await maker.run('operate', { operation: task, places: [place] })
    model.end(place, task === 'shred' ? 'shredded' : 'suspended')
  }
  for (const tenant of ['acme', 'globex', 'initech', ...UNMARKED]) await maker.run('create', { tenant })

  const tenant = 'acme'
  for (const subject of ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan']) {
    await put({ tenant, subject })
    await put({ tenant, subject, item: 'calendar' })
  }
  for (const item of ['kept', 'gone']) await put({ tenant, subject: 'erin', item })
  for (let i = 0; i < 6; i++) await put({ tenant, subject: 'ivan', item: `part-${i}` })
  for (const subject of ['leaver-0', 'leaver-1', 'leaver-2']) {
    await put({ tenant, subject })
    await put({ tenant, subject, item: 'part' })
  }
  for (const other of ['globex', 'initech']) {
    for (let i = 0; i < 6; i++) {
      await put({ tenant: other, subject: `subject-${i}` })
      await put({ tenant: other, subject: `subject-${i}`, item: 'part' })
    }
  }

  for (const quiet of UNMARKED) await put({ tenant: quiet, subject: 'subject-0' })

  // The last of them never had a key: his place is occupied.
  for (const subject of ['dave', 'frank', 'stranger']) await change('shred', { tenant, subject })
  await change('shred', { tenant, subject: 'erin', item: 'gone' })
  await change('shred', { tenant: 'globex', subject: 'subject-5' })
  await change('suspend', { tenant, subject: 'heidi' })
  await change('suspend', { tenant, subject: 'carol', item: 'calendar' })

  // Values of both versions, the older of which only decrypts.
  const bob = { tenant, subject: 'bob' }
  await maker.run('operate', { operation: 'rotateSubjectKey', places: [bob] })
  await put(bob)
  // One tenant is being moved: some of its keys are wrapped by the new wrapping key.
  await maker.run('moveHalf', { tenant: 'globex', nodes: 5 })
  return model
}

/** Goes on from there: the root key is rotated, and more is shredded. */
export async function rotate(maker: Process, before: Model): Promise<Model> {
  const model = before.copy()
  await maker.run('operate', { operation: 'rotateRootKey' })
  for (const place of [
    { tenant: 'acme', subject: 'leaver-2' },
    { tenant: 'initech', subject: 'subject-5', item: 'part' },
  ]) {
    await maker.run('operate', { operation: 'shred', places: [place] })
    model.end(place, 'shredded')
  }
  return model
}
