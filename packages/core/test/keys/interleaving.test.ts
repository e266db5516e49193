// Two processes at once, interleaved at every call of a store.
import { openVault, type Vault } from '@strongroom/core'
import { downProvider } from '@strongroom/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { KeyState } from '#core/format/records.js'

import {
  alice,
  type Around,
  bob,
  BOUND,
  email,
  type Ground,
  hex,
  nodeMadeBy,
  nodesOf,
  openGround,
  optionsAround,
  outcome,
  putRecord,
} from '../vault/support.ts'

/** Two processes whose every store call waits for its turn; turns are the scheduler's to give. */
async function scheduled(made: Ground, scheduler: fc.Scheduler): Promise<{ readonly a: Vault; readonly b: Vault; start(): void }> {
  let started = false
  const around =
    (name: string): Around =>
    async ({ store, method }, proceed) => {
      if (!started) return proceed()
      await scheduler.schedule(Promise.resolve(), `${name} asks ${store}.${method}`)
      const answer = await proceed().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      await scheduler.schedule(Promise.resolve(), `${name} hears ${store}.${method}`)
      if ('error' in answer) throw answer.error
      return answer.value
    }
  const [a, b] = [await openVault(optionsAround(made, around('A'))), await openVault(optionsAround(made, around('B')))]
  return { a, b, start: () => void (started = true) }
}

type Act = 'shred' | 'suspend' | 'resume' | 'encrypt' | 'shred item' | 'encrypt item' | 'reconcile'

const run = (vault: Vault, act: Act): Promise<string> =>
  outcome(() => {
    switch (act) {
      case 'encrypt':
        return alice(vault).encrypt(email, 'x')
      case 'encrypt item':
        return alice(vault).item('hubspot').encrypt(email, 'x')
      case 'shred item':
        return alice(vault).item('hubspot').shred()
      case 'reconcile':
        return vault.reconcile()
      default:
        return alice(vault)[act]()
    }
  })

async function newest(made: Ground): Promise<Vault> {
  made.clock.advance(BOUND)
  return openVault(made.options)
}

describe('two processes at once', () => {
  const other = fc.constantFrom<Act>('shred', 'suspend', 'resume', 'encrypt', 'shred item', 'encrypt item', 'reconcile')

  test('whatever the other does, and whoever is first: a shred wins, the ledger verifies, nobody else is touched', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(other, { minLength: 1, maxLength: 3 }), fc.boolean(), async (scheduler, acts, withKey) => {
        const made = await openGround()
        const his = await bob(made.vault).encrypt(email, 'his')
        const hers = withKey ? await alice(made.vault).encrypt(email, 'hers') : undefined
        const { a, b, start } = await scheduled(made, scheduler)
        start()
        const inTurn = async (): Promise<string[]> => {
          const outcomes: string[] = []
          for (const act of acts) outcomes.push(await run(b, act))
          return outcomes
        }
        const [shredded, rest] = await scheduler.waitFor(Promise.all([run(a, 'shred'), inTurn()]))
        expect(shredded).toBe('done')
        for (const each of rest) expect(['done', 'shredded', 'suspended', 'not_found']).toContain(each)
        const after = await newest(made)
        expect(await outcome(() => alice(after).encrypt(email, 'x'))).toBe('shredded')
        expect(await outcome(() => alice(after).item('hubspot').encrypt(email, 'x'))).toBe('shredded')
        if (hers !== undefined) expect(await outcome(() => alice(after).decrypt(email, hers))).toBe('shredded')
        expect(await bob(after).decrypt(email, his)).toBe('his')
        expect(await outcome(() => after.reconcile())).toBe('done')
        expect(
          nodesOf(made.keyStore)
            .flatMap(({ versions }) => versions)
            .filter(({ state }) => state === KeyState.suspended),
        ).toEqual([])
      }),
      { numRuns: 120 },
    )
  })

  test('two that shred at once get the same answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const made = await openGround()
        await alice(made.vault).encrypt(email, 'hers')
        const { a, b, start } = await scheduled(made, scheduler)
        start()
        const [one, two] = await scheduler.waitFor(Promise.all([alice(a).shred(), alice(b).shred()]))
        expect(one).toEqual(two)
        expect(await alice(await newest(made)).shred()).toEqual(one)
      }),
      { numRuns: 60 },
    )
  })

  test('a suspension and a resumption at once: what the ledger says last is the state of the key', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.boolean(), async (scheduler, suspendedFirst) => {
        const made = await openGround()
        const { ref } = await nodeMadeBy(made.keyStore, () => alice(made.vault).encrypt(email, 'hers'))
        if (suspendedFirst) await alice(made.vault).suspend()
        const { a, b, start } = await scheduled(made, scheduler)
        start()
        const acts: readonly Act[] = suspendedFirst ? ['resume', 'suspend'] : ['suspend', 'resume']
        const inTurn = async (): Promise<void> => {
          for (const act of acts) expect(await run(b, act)).toBe('done')
        }
        await scheduler.waitFor(Promise.all([run(a, 'reconcile'), run(a, acts[0] as Act), inTurn()]))
        const state = (): unknown =>
          nodesOf(made.keyStore)
            .find((record) => hex(record.ref) === hex(ref))
            ?.versions.map((version) => version.state)
        const before = state()
        // Op codes: 3 suspends, 4 resumes.
        const last = made.stateStore
          .snapshot()
          .toSorted((x, y) => (x.key < y.key ? -1 : 1))
          .at(-1)?.value
        expect(before).toEqual([last !== undefined && opOf(last) === 3 ? KeyState.suspended : KeyState.active])
        await (await newest(made)).reconcile()
        expect(state()).toEqual(before)
      }),
      { numRuns: 40 },
    )
  })

  test('two that create a tenant at once: it works in both, and there is one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const made = await openGround()
        const { a, b, start } = await scheduled(made, scheduler)
        start()
        const outcomes = await scheduler.waitFor(
          Promise.all([outcome(() => a.tenants.create('new')), outcome(() => b.tenants.create('new'))]),
        )
        expect(outcomes).toContain('done')
        for (const each of outcomes) expect(['done', 'already_exists']).toContain(each)
        const after = await newest(made)
        const stored = await after.tenant('new').subject('x').encrypt(email, 'x')
        expect(await (await newest(made)).tenant('new').subject('x').decrypt(email, stored)).toBe('x')
      }),
      { numRuns: 60 },
    )
  })
})

// The op byte of the entry in a page of one: its fourth field (LP each, as the entry is): vault id, n, previous, op.
function opOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 4
  for (let field = 0; field < 3; field++) at += 4 + view.getUint32(at)
  return bytes[at + 4] as number
}

describe('an entry of the ledger that was overtaken', () => {
  test.each([
    ['a resumption does not undo the suspension that came after it', 'resume', 'suspend', 'suspended'],
    ['a suspension does not undo the resumption that came after it', 'suspend', 'resume', 'done'],
  ] as const)('%s', async (_, slowly, then, expected) => {
    const made = await openGround()
    const hers = await alice(made.vault).encrypt(email, 'hers')
    if (slowly === 'resume') await alice(made.vault).suspend()
    // A process that opens the vault, or runs reconcile, while another is at work: it has read the entry, and acts on it late.
    let hold = false
    let reached: () => void = () => undefined
    let release: () => void = () => undefined
    const stopped = new Promise<void>((resolve) => (reached = resolve))
    const released = new Promise<void>((resolve) => (release = resolve))
    const slow = await openVault(
      optionsAround(made, async ({ store, method }, proceed) => {
        const answer = await proceed()
        // Right after its own entry is in the ledger.
        if (hold && store === 'state' && method === 'scan' && (answer as readonly unknown[]).length > 0) {
          hold = false
          reached()
          await released
        }
        return answer
      }),
    )
    await alice(slow)
      .unlock({ readOnly: true })
      .catch(() => undefined)
    hold = true
    const late = outcome(() => alice(slow)[slowly]())
    await stopped
    const quick = await openVault(made.options)
    await alice(quick)[then]()
    release()
    await late
    made.clock.advance(BOUND)
    const after = await openVault(made.options)
    expect(await outcome(() => alice(after).decrypt(email, hers))).toBe(expected)
    await after.reconcile()
    expect(await outcome(() => alice(after).decrypt(email, hers))).toBe(expected)
  })

  test('going over the whole ledger never makes a suspended key active, not even for a moment', async () => {
    const made = await openGround()
    const { ref } = await nodeMadeBy(made.keyStore, () => alice(made.vault).encrypt(email, 'hers'))
    for (const act of ['suspend', 'resume', 'suspend'] as const) await alice(made.vault)[act]()
    const states: unknown[] = []
    const vault = await openVault(
      optionsAround(made, async ({ store, method, args }, proceed) => {
        const record = store === 'key' && method === 'put' ? putRecord(args) : undefined
        if (record?.type === 'node' && hex(record.ref) === hex(ref)) states.push(record.versions[0]?.state)
        return proceed()
      }),
    )
    await vault.reconcile()
    expect(states).not.toContain(KeyState.active)
    expect(await outcome(() => alice(vault).encrypt(email, 'x'))).toBe('suspended')
    await alice(vault).resume()
    expect(states.at(-1)).toBe(KeyState.active)
  })

  test('an order that waits for a provider is not forgotten because another run had not read of it', async () => {
    const made = await openGround()
    const provider = downProvider(made.provider)
    provider.isDown = false
    let hold = false
    let reached: () => void = () => undefined
    let release: () => void = () => undefined
    const stopped = new Promise<void>((resolve) => (reached = resolve))
    const released = new Promise<void>((resolve) => (release = resolve))
    const around: Around = async ({ store, method }, proceed) => {
      const answer = await proceed()
      if (hold && store === 'state' && method === 'scan') {
        hold = false
        reached()
        await released
      }
      return answer
    }
    const vault = await openVault({ ...optionsAround(made, around), keyProviders: { eu: provider } })
    const hers = await alice(vault).encrypt(email, 'hers')
    hold = true
    const late = outcome(() => vault.reconcile())
    await stopped
    provider.isDown = true
    expect(await outcome(() => alice(vault).suspend())).toBe('key_provider_unavailable')
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('key_provider_unavailable')
    release()
    await late
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('key_provider_unavailable')
    provider.isDown = false
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('suspended')
  })
})
