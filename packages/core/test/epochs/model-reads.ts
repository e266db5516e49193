// Reading everything, and comparing it with the model.
import { type Vault } from '@strongroom/core'
import { expect } from 'vitest'

import { email, outcome } from '../vault/support.ts'
import { type Model } from './model-claims.ts'
import { currentLives, type Facts, learn, occupied, parentOf, readable, type Value } from './model-facts.ts'
import { handleOf } from './model-places.ts'
import { type Process } from './model-world.ts'

/** `reads`, or the code with which it was refused. Another value than was stored there fails at once. */
export async function readValue(vault: Vault, { place, text, stored }: Value): Promise<string> {
  let read: string | undefined
  const code = await outcome(async () => (read = await handleOf(vault, place).decrypt(email, stored)))
  if (code !== 'done') return code
  expect(read, 'a wrong value').toBe(text)
  return 'reads'
}

/** Every value, through one process, whatever that may remember. */
export async function checkReads(model: Model, process: Process): Promise<void> {
  for (const value of model.values) {
    const read = await readValue(process.vault, value)
    const window = model.window(process)
    const { ok, codes } = readable(window, value)
    expect([...(ok ? ['reads'] : []), ...codes], `process ${process.index} reads ${value.text}`).toContain(read)
    if (window.length === 1 && model.certain) learn(model.facts, value, read)
  }
}

/** What is said of the tenants. */
export async function checkTenants({ facts, certain }: Model, { vault }: Process, tenants: readonly string[]): Promise<void> {
  if (!certain) return
  for (const tenant of tenants) expect(statesOf(facts, tenant), tenant).toContain((await vault.tenants.get(tenant))?.state)
}

function statesOf(facts: Facts, tenant: string): readonly (string | undefined)[] {
  expect(parentOf(tenant)).toBeUndefined()
  const lives = currentLives(facts, tenant)
  const states = lives.flatMap(({ suspended, over }) => [
    ...(suspended === 'yes' ? [] : ['active']),
    ...(suspended === 'no' ? [] : ['suspended']),
    ...(over === 'no' ? [] : ['shredded']),
  ])
  if (lives.length > 0) return states
  const was = occupied(facts, tenant)
  return [...(was === 'no' ? [] : ['shredded']), ...(was === 'yes' ? [] : [undefined])]
}
