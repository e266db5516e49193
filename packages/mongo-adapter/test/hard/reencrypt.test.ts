// Re-encryption is killed, at each of its writes and at random instants, while other processes write the same documents: nothing is lost, and
// a later run ends it. More kills in .ci/run.
import { setTimeout as pause } from 'node:timers/promises'

import type { Progress } from '@strongroom/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { uri } from '../support.ts'
import type { Letter, Letters } from './letters.mjs'
import { type LettersWorld, makeLetters, Worker } from './letters-world.ts'

const RANDOM_KILLS = Number(process.env['STRONGROOM_KILLS'] ?? 4)
// Two batches.
const MANY = 210
const EDITED = 20

const letter = (_id: number, who = 'ada'): Letter => ({
  _id,
  orgId: 'acme',
  who,
  title: `title ${_id}`,
  ...(_id % 3 === 0 ? {} : { text: `text ${_id}` }),
  pages: [`page ${_id}`, `another ${_id}`],
})

describe.skipIf(uri === undefined)('on a server', () => {
  let world: LettersWorld
  let opened: Letters
  const workers: Worker[] = []
  const start = (task: string, argument: object): Worker => {
    const worker = new Worker(task, { where: world.where, ...argument })
    workers.push(worker)
    return worker
  }

  beforeAll(async () => {
    world = await makeLetters()
    opened = world.opened
    await opened.stored.createIndex({ orgId: 1, who: 1 })
    await opened.letters.insertMany(Array.from({ length: MANY }, (_, i) => letter(i)))
    await opened.letters.insertMany(Array.from({ length: 5 }, (_, i) => letter(MANY + i, 'bob')))
  })
  afterEach(() => {
    for (const worker of workers.splice(0)) worker.kill()
  })
  afterAll(() => world.remove())

  const ada = () => opened.vault.tenant('acme').subject('ada')
  const toEnd = async (run: AsyncIterable<Progress>): Promise<void> => {
    for await (const _ of run);
  }
  const rotate = () => toEnd(opened.vault.rotateSubjectKey(ada()))
  const retire = () =>
    toEnd(opened.vault.retireVersion(ada(), { holders: [opened.letters.resource()], dataBackup: { startedAt: Date.now() } }))

  test.each<readonly [string, number]>([
    ['commandStarted', 1],
    ['commandSucceeded', 1],
    ['commandStarted', 2],
    ['commandSucceeded', 2],
  ])('killed at %s of update %i, and run again by two at once', async (event, count) => {
    const before = await opened.letters.find().sort({ _id: 1 }).toArray()
    const bobs = await opened.stored.find({ who: 'bob' }).toArray()
    await rotate()
    const killed = start('reencrypt', { killAt: { event, count } })
    await killed.next()
    expect(await killed.ended).toBe('SIGKILL')
    const isWhole = event === 'commandSucceeded' && count === 2
    if (!isWhole) await expect(retire()).rejects.toMatchObject({ code: 'still_referenced' })
    const two = [start('reencrypt', {}), start('reencrypt', {})]
    for (const each of two) {
      await each.next()
      expect(((await each.next()).done as readonly Progress[]).at(-1)).toMatchObject({ done: MANY, total: MANY })
    }
    await retire()
    expect(await opened.letters.find().sort({ _id: 1 }).toArray()).toEqual(before)
    expect(await opened.stored.find({ who: 'bob' }).toArray()).toEqual(bobs)
  })

  test('killed at random instants, while two other processes write: what they have written stands, all else is as it was', async () => {
    await rotate()
    const known = new Map((await opened.letters.find({ who: 'ada' }).toArray()).map((each) => [each._id, each]))
    const editors = [0, 1].map((rest) =>
      start('edit', { name: `editor ${rest}`, ids: Array.from({ length: EDITED }, (_, i) => i * 10 + rest) }),
    )
    for (const editor of editors) await editor.next()
    let died = 0
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      const worker = start('reencrypt', {})
      await worker.next()
      await Promise.race([worker.ended, pause(Math.random() * 600)])
      worker.kill()
      if ((await worker.ended) === 'SIGKILL') died++
    }
    const last = start('reencrypt', {})
    await last.next()
    expect(((await last.next()).done as readonly Progress[]).at(-1)).toMatchObject({ done: MANY, total: MANY })
    let edits = 0
    for (const editor of editors) {
      editor.tell()
      const written = (await editor.next()).done as readonly (readonly [
        number,
        { readonly title?: string; readonly pages: readonly string[] },
      ])[]
      for (const [id, { title, pages }] of written) {
        const before = known.get(id) as Letter
        known.set(id, { ...before, title: title ?? before.title, pages: [...pages, ...before.pages] })
        edits += pages.length
      }
    }
    console.log(`${died} of ${RANDOM_KILLS} died of it; ${edits} pages and more titles were written meanwhile`)
    expect(edits).toBeGreaterThan(0)
    await retire()
    expect(await opened.letters.find({ who: 'ada' }).sort({ _id: 1 }).toArray()).toEqual([...known.values()].sort((a, b) => a._id - b._id))
    const some = [...known.values()].find(({ title }) => title.startsWith('editor'))
    expect((await opened.letters.find({ orgId: 'acme', title: some?.title as string }).toArray()).map(({ _id }) => _id)).toEqual([
      some?._id,
    ])
  })
})
