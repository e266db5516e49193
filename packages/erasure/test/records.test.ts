// The records of docs/format.md, "Erasures": what this package keeps is of that form, and bound as that page says.
import { readFileSync } from 'node:fs'

import { days, field, StrongroomError } from '@strongroom/core'
import { expect, test } from 'vitest'
import { z } from 'zod'

import { APART, outcome, pass, rowsOf, world } from './support.ts'

const page = readFileSync(new URL('../../../docs/format.md', import.meta.url), 'utf8')
const example = (name: string): Record<string, unknown> =>
  JSON.parse(new RegExp(`\`\`\`json name=${name}\\n([\\s\\S]*?)\\n\`\`\``).exec(page)?.[1] ?? '') as never

/** Instants of a run, a receipt and a random number aside. */
function shape(record: unknown): unknown {
  return JSON.parse(
    JSON.stringify(record, (key, value: unknown) => {
      if (key === 'nonce' || key === 'claim' || key === 'receipt') return typeof value
      return typeof value === 'number' && value > days(365) ? 'instant' : value
    }),
  )
}

test('one under way and one that is erased', async () => {
  const w = await world()
  const files = rowsOf('files')
  const { erasure } = await w.another({ resources: [w.logs, files] })
  w.logs.add('acme/alice', 2)
  files.add('acme/alice', 1)
  files.lies = true
  const { id } = await erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  w.clock.advance(APART)
  await erasure.sweep()
  const [references, nonce] = [id.split('.').slice(0, -1), id.split('.').at(-1)]
  const read = async (key: string, name: string, boundTo = `strongroom/erasures/${key}`): Promise<unknown> => {
    const entry = await w.stateStore.get('strongroom/erasures', key)
    if (entry === undefined) throw new StrongroomError('not_found', 'no such entry')
    return w.vault.neverShredded.decrypt(field('strongroom/erasures', name, z.any()), entry.value, { record: boundTo })
  }
  const open = [w.vault.id, ...references, 'open'].join('/')
  const ended = [w.vault.id, ...references, nonce].join('/')
  expect(shape(await read(open, 'open'))).toEqual(shape(example('erasure-open')))
  expect(await outcome(() => read(open, 'open', open))).toBe('decrypt_failed')
  expect(await outcome(() => read(open, 'erased'))).toBe('decrypt_failed')

  files.lies = false
  await pass({ ...w, erasure }, days(1))
  expect(await outcome(() => read(open, 'open'))).toBe('not_found')
  expect(shape(await read(ended, 'erased'))).toEqual(shape(example('erasure-erased')))
  const closing = [w.vault.id, 'eu', '0000000001', ...references, nonce].join('/')
  expect((await w.stateStore.get('strongroom/closings', closing))?.value).toEqual(Uint8Array.of(1))
})
