// A batch of 100 fields at once: after one `unlock()`, in a loop, beside the same loop over the primitives and beside Web Crypto,
// whose calls are all started before the first is awaited.
import { field } from '@strongroom/core'
import { z } from 'zod'

import { primitives, text } from './fields.mjs'
import { interleave } from './interleave.mjs'

export const BATCH = 100
export const BATCH_SIZES = [16, 64, 256, 1024, 16 * 1024]

/** @returns for each size `{ size, encrypt, decrypt }`, as `fields` does, by batch */
export async function batches(vault) {
  const notes = field('users', 'notes', z.string())
  const results = []
  for (const size of BATCH_SIZES) {
    const value = text(size)
    const alice = vault.tenant('bench').subject('alice')
    const keys = await alice.unlock()
    const stored = keys.encrypt(notes, value)
    const others = await primitives(value)
    const encrypt = await interleave({
      ours: () => loop(() => keys.encrypt(notes, value)),
      raw: () => loop(others.encrypt.raw),
      noble: () => loop(others.encrypt.noble),
      web: () => Promise.all(loop(others.encrypt.web)),
    })
    const decrypt = await interleave({
      ours: () => loop(() => keys.decrypt(notes, stored)),
      raw: () => loop(others.decrypt.raw),
      noble: () => loop(others.decrypt.noble),
      web: () => Promise.all(loop(others.decrypt.web)),
    })
    results.push({ size, encrypt, decrypt })
  }
  return results
}

function loop(call) {
  const all = []
  for (let i = 0; i < BATCH; i++) all.push(call())
  return all
}
