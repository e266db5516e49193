// Lines made to be slow cost what their length costs: counted, not timed, in processes of their own.
import { fork } from 'node:child_process'
import { on } from 'node:events'
import { fileURLToPath } from 'node:url'

import { beforeAll, describe, expect, test } from 'vitest'

import { NAMES } from './hostile-lines.mjs'

const WORKER = fileURLToPath(new URL('work-worker.mjs', import.meta.url))
const KIB = 1024
// A line of the combined format takes 8; seven readings of a line that is full of addresses take more than all else.
const MOST_BLOCKS = 64
const MOST_BLOCKS_OF_ADDRESSES = 400
const MOST_MEMORY = 200

/** For each byte of a line: blocks of code that were run, for a line and for one that is twice as long; or bytes of memory. */
async function takenFor(
  names: readonly string[],
  bytes: number,
  what: 'blocks' | 'memory' | 'memory of single bytes',
): Promise<ReadonlyMap<string, readonly number[]>> {
  const child = fork(WORKER, [what, String(bytes), ...names])
  const taken = new Map<string, readonly number[]>()
  for await (const [message] of on(child, 'message', { close: ['exit'] })) {
    const { name, taken: its } = message as { readonly name: string; readonly taken: readonly number[] }
    taken.set(name, its)
  }
  return taken
}

describe('lines made to be slow', () => {
  let blocks: ReadonlyMap<string, readonly number[]>
  beforeAll(async () => {
    blocks = await takenFor(NAMES, 32 * KIB, 'blocks')
  }, 120_000)

  test.each(NAMES)('%s: twice as long is twice the work', (name) => {
    const [half = Number.NaN, whole = Number.NaN] = blocks.get(name) ?? []
    expect(whole).toBeLessThan(half * 1.2)
    expect(whole).toBeLessThan(name.endsWith('one escape in others') ? MOST_BLOCKS_OF_ADDRESSES : MOST_BLOCKS)
  })

  test.each(['addresses, and one escape in others', 'IPv6, and one escape in others', 'addresses behind escapes'])(
    '%s: memory is some times the line',
    { timeout: 60_000 },
    async (name) => {
      const [taken] = (await takenFor([name], KIB * KIB, 'memory')).get(name) ?? []
      expect(taken).toBeLessThan(MOST_MEMORY)
    },
  )

  test('one that comes byte by byte: memory is some times the line', { timeout: 60_000 }, async () => {
    const [taken] = (await takenFor(['one escape and digits'], KIB * KIB, 'memory of single bytes')).values().next().value ?? []
    expect(taken).toBeLessThan(MOST_MEMORY)
  })
})
