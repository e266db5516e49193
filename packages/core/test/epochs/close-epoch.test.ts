// What closeEpoch accepts, what it destroys, and when it has nothing to do.
import { type KeyProvider, type NodeRecord, openVault, type RegionRecord } from '@strongroom/core'
import { memoryKeyProvider, withFailpoints } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { nodeMadeBy, outcome, refusalOf, START } from '../vault/support.ts'
import { backupNow, BOUND, DAY, encrypt, phasesOf, reads, stopping, toEnd, WITHOUT, type World, world } from './support.ts'

const REGION = { type: 'region', region: 'eu' } as const

const liveIn = async ({ options }: World): Promise<readonly number[]> =>
  ((await options.keyProviders['eu']?.versions()) ?? []).filter(({ state }) => state === 'live').map(({ number }) => number)

function regionOf({ keyStore }: World): RegionRecord {
  return keyStore.snapshot().find((record): record is RegionRecord => record.type === 'region') as RegionRecord
}

function editRegion({ keyStore }: World, change: (record: RegionRecord) => RegionRecord): void {
  keyStore.edit(REGION, (record) => change(record as RegionRecord))
}

/** A region that was rotated, in whose key store the record of a living person was put back from before the rotation. */
async function withLateNode(): Promise<World & { readonly hers: Uint8Array }> {
  const made = await world()
  let hers = new Uint8Array(0)
  await encrypt(made.vault, 'gone')
  const before: NodeRecord = await nodeMadeBy(made.keyStore, async () => (hers = Uint8Array.from(await encrypt(made.vault, 'alice'))))
  await made.vault.tenant('acme').subject('gone').shred()
  await toEnd(made.vault.rotateRootKey())
  made.keyStore.edit({ type: 'node', ref: before.ref }, () => before)
  return { ...made, hers }
}

describe('a backup that lacks what was wrapped anew is not accepted', () => {
  test('by another run that was past its first look at the marker', async () => {
    const made = await withLateNode()
    const copy = made.keyStore.snapshot()
    const said = await backupNow(made)
    const slow = await stopping(made.options, 'close.waited')
    const closing = outcome(() => toEnd(slow.vault.closeEpoch(said)))
    await slow.reached
    expect(await outcome(() => toEnd(made.vault.closeEpoch(said)))).toBe('epoch_blocked')
    slow.go()
    expect(await closing).toBe('epoch_blocked')
    expect(await liveIn(made)).toEqual([1, 2])
    // The backup that was accepted opens what lives; the other would not have.
    const opened = made.keyStore.snapshot()
    await toEnd(made.vault.closeEpoch(await backupNow(made)))
    expect(await liveIn(made)).toEqual([2])
    made.keyStore.restore(opened)
    expect(await reads(await openVault(made.options), 'alice', made.hers)).toBe(true)
    made.keyStore.restore(copy)
    expect(await outcome(async () => reads(await openVault(made.options), 'alice', made.hers))).toBe('root_version_destroyed')
  })

  test('after a close without a backup that did not come to destroy anything', async () => {
    const made = await withLateNode()
    const said = await backupNow(made)
    const abort = new AbortController()
    const reason = new Error('enough')
    const dying = await openVault(withFailpoints(made.options, (name) => void (name === 'close.rescanned' && abort.abort(reason))))
    await expect(toEnd(dying.closeEpoch({ ...WITHOUT, signal: abort.signal }))).rejects.toBe(reason)
    const refusal = await refusalOf(() => toEnd(made.vault.closeEpoch(said)))
    expect(refusal).toMatchObject({ code: 'invalid_argument', argument: 'backup.marker' })
    expect(await liveIn(made)).toEqual([1, 2])
    await toEnd(made.vault.closeEpoch(await backupNow(made)))
    expect(await liveIn(made)).toEqual([2])
  })

  test('when the marker changes between two root versions: the second is not destroyed', async () => {
    const made = await world()
    await made.provider.createVersion(2)
    await made.provider.createVersion(3)
    await toEnd(made.vault.rotateRootKey())
    const renew = (): void =>
      editRegion(made, (record) => ({
        ...record,
        revision: record.revision + 1,
        epoch: { rootVersion: 3, marker: new Uint8Array(16), instant: made.clock.now() },
      }))
    const vault = await openVault(withFailpoints(made.options, (name) => void (name === 'close.noted' && renew())))
    expect(await outcome(async () => toEnd(vault.closeEpoch(await backupNow(made))))).toBe('epoch_blocked')
    expect(await liveIn(made)).toEqual([2, 3])
  })

  test('a close without a backup goes on all the same', async () => {
    const made = await withLateNode()
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect(await liveIn(made)).toEqual([2])
    expect(await reads(await openVault(made.options), 'alice', made.hers)).toBe(true)
  })
})

describe('a rotation that was begun before the close of the one before it', () => {
  test('does not make a whole backup an outdated one', async () => {
    const made = await world()
    const stored = new Map<string, Uint8Array>()
    for (const subject of ['a', 'b', 'c']) stored.set(subject, await encrypt(made.vault, subject))
    const { vault } = made
    await vault.tenant('acme').subject('a').shred()
    await toEnd(vault.rotateRootKey())
    const said = await backupNow(made)
    const copy = made.keyStore.snapshot()
    await vault.tenant('acme').subject('b').shred()
    for await (const { phase } of vault.rotateRootKey()) if (phase === 'waiting') break
    await toEnd(vault.closeEpoch(said))
    expect(await liveIn(made)).toEqual([2, 3])
    await toEnd(vault.rotateRootKey())
    expect(await reads(vault, 'c', stored.get('c') as Uint8Array)).toBe(true)
    made.keyStore.restore(copy)
    expect(await reads(await openVault(made.options), 'c', stored.get('c') as Uint8Array)).toBe(true)
  })
})

describe('a root version that the provider made by itself', () => {
  test('together with another, at the moment when a rotation makes one: all are announced, and destroyed', async () => {
    const provider = memoryKeyProvider()
    let armed = false
    const racing: KeyProvider = {
      ...provider,
      createVersion: async (number, options) => {
        if (armed) for (const other of [2, 3]) await provider.createVersion(other)
        armed = false
        return provider.createVersion(number, options)
      },
    }
    const made = await world({ provider: racing })
    await encrypt(made.vault, 'alice')
    armed = true
    await toEnd(made.vault.rotateRootKey())
    expect(regionOf(made).versions.map(({ number }) => number)).toEqual([1, 2, 3])
    await made.vault.tenant('acme').subject('alice').shred()
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect(await liveIn(made)).toEqual([4])
    expect((await made.vault.status()).regions[0]).toMatchObject({ shreds: { final: 1 }, provider: { unknown: [] } })
  })

  test('and that the vault was never told of: the close announces it, and destroys it', async () => {
    const provider = memoryKeyProvider()
    let hidden = false
    const hiding: KeyProvider = {
      ...provider,
      versions: async () => (await provider.versions()).filter(({ number }) => !hidden || number !== 2),
    }
    const made = await world({ provider: hiding })
    await encrypt(made.vault, 'alice')
    for (const number of [2, 3]) await provider.createVersion(number)
    hidden = true
    await toEnd(made.vault.rotateRootKey())
    await made.vault.tenant('acme').subject('alice').shred()
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(WITHOUT))
    hidden = false
    expect(regionOf(made).versions.map(({ number }) => number)).toEqual([1, 3, 4])
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect(await liveIn(made)).toEqual([4])
    expect((await made.vault.status()).regions[0]).toMatchObject({ shreds: { final: 1 }, provider: { unknown: [] } })
    expect(await phasesOf(made.vault.closeEpoch(WITHOUT))).toEqual(['preparing'])
  })
})

describe('a destruction of which the ledger does not know is entered there', () => {
  /** Someone was shredded, and the region rotated: what is left is to close. */
  async function rotated(): Promise<World> {
    const made = await world()
    await encrypt(made.vault, 'alice')
    await made.vault.tenant('acme').subject('alice').shred()
    await toEnd(made.vault.rotateRootKey())
    return made
  }

  const isFinal = async ({ vault }: World): Promise<void> =>
    expect((await vault.status()).regions[0]?.shreds).toMatchObject({ final: 1, waiting: { count: 0 } })

  const DESTROYED = { level: 'confirmed', effectiveAt: 1, copiesUntil: 1 } as const

  test('where a close died before the key store acknowledged its entry, and the state store went back to before it', async () => {
    const made = await rotated()
    const before = made.stateStore.snapshot()
    let dead = false
    const keyStore = {
      ...made.keyStore,
      put: async (record: Parameters<typeof made.keyStore.put>[0]) => {
        dead ||= record.type === 'vault' && regionOf(made).versions.some(({ state }) => state === 'destroyed')
        if (dead) throw new Error('killed')
        return made.keyStore.put(record)
      },
    }
    const dying = await openVault({ ...made.options, keyStore })
    expect(await outcome(() => toEnd(dying.closeEpoch(WITHOUT)))).toBe('key_store_unavailable')
    made.stateStore.restore(before)
    await toEnd(made.vault.closeEpoch(WITHOUT))
    await isFinal(made)
    expect(await phasesOf(made.vault.closeEpoch(WITHOUT))).toEqual(['preparing'])
  })

  test.each([
    { what: 'the root version is live', destroyed: false },
    { what: 'the root version is gone', destroyed: true },
  ])('where only the key store says that it was destroyed, and $what', async ({ destroyed }) => {
    const made = await rotated()
    const note = regionOf(made).versions[0]?.announced
    editRegion(made, (record) => ({
      ...record,
      versions: record.versions.map((version) =>
        version.number === 1 ? { ...version, state: 'destroyed', destroyed: note, destruction: DESTROYED } : version,
      ),
    }))
    if (destroyed) await made.provider.destroyVersion(1)
    await toEnd(made.vault.closeEpoch(WITHOUT))
    await isFinal(made)
    expect(await liveIn(made)).toEqual([2])
    expect(await phasesOf(made.vault.closeEpoch(WITHOUT))).toEqual(['preparing'])
  })

  test('and once only', async () => {
    const made = await rotated()
    await toEnd(made.vault.closeEpoch(WITHOUT))
    const { ledger } = await made.vault.status()
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect((await made.vault.status()).ledger).toEqual(ledger)
    await isFinal(made)
  })
})

describe('a provider that goes on listing as live what it is to destroy', () => {
  /** `level`: what it says of a destruction. It never does destroy. */
  async function closedWith(
    level: 'confirmed' | 'scheduled' | 'operator-asserted',
  ): Promise<World & { readonly asked: readonly number[] }> {
    const provider = memoryKeyProvider()
    const asked: number[] = []
    const made = await world({
      provider: {
        ...provider,
        destroyVersion: async (number) => {
          asked.push(number)
          return { level, effectiveAt: made.clock.now() + (level === 'scheduled' ? 7 * DAY : 0), copiesUntil: made.clock.now() + 7 * DAY }
        },
      },
    })
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect(asked).toEqual([1])
    return { ...made, asked }
  }

  test('scheduled: nothing is left to do until then, and the next close says so at once', async () => {
    const { vault, asked, clock } = await closedWith('scheduled')
    expect(await phasesOf(vault.closeEpoch(WITHOUT))).toEqual(['preparing'])
    expect(asked).toEqual([1])
    clock.advance(8 * DAY)
    await toEnd(vault.closeEpoch(WITHOUT))
    expect(asked).toEqual([1, 1])
  })

  test.each(['confirmed', 'operator-asserted'] as const)('%s: it came back, and is destroyed again', async (level) => {
    const { vault, asked } = await closedWith(level)
    await toEnd(vault.closeEpoch(WITHOUT))
    expect(asked).toEqual([1, 1])
  })
})

describe('the clock of the machine that rotated was ahead: the refusal says what cures it', () => {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

  test('closeEpoch', async () => {
    const made = await world()
    made.clock.jump(365 * DAY)
    await toEnd(made.vault.rotateRootKey())
    made.clock.jump(-365 * DAY)
    const refusal = await refusalOf(async () => toEnd(made.vault.closeEpoch(await backupNow(made))))
    expect(refusal).toMatchObject({ code: 'invalid_argument', argument: 'backup.startedAt' })
    expect(refusal.message).toContain('run rotateRootKey again')
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(await backupNow(made)))
    expect(await liveIn(made)).toEqual([3])
  })

  test('retireVersion', async () => {
    const made = await world()
    await encrypt(made.vault, 'alice')
    const alice = made.vault.tenant('acme').subject('alice')
    const retire = (): Promise<void> =>
      toEnd(made.vault.retireVersion(alice, { holders: [{ countValues: async () => 0 }], dataBackup: { startedAt: made.clock.now() } }))
    made.clock.jump(365 * DAY)
    await toEnd(made.vault.rotateSubjectKey(alice))
    made.clock.jump(-365 * DAY)
    await sleep(2 * BOUND)
    const refusal = await refusalOf(retire)
    expect(refusal).toMatchObject({ code: 'invalid_argument', argument: 'dataBackup.startedAt' })
    expect(refusal.message).toContain('run rotateSubjectKey again')
    await toEnd(made.vault.rotateSubjectKey(alice))
    made.clock.advance(2 * BOUND)
    await sleep(2 * BOUND)
    await retire()
  })
})

test('an owner who says that copies live longer after all is believed, with nothing else to do', async () => {
  const memory = memoryKeyProvider()
  let copiesUntil = START + DAY
  const destroyVersion: KeyProvider['destroyVersion'] = async (number, options) => ({
    ...(await memory.destroyVersion(number, options)),
    level: 'operator-asserted',
    copiesUntil,
  })
  const { vault } = await world({ provider: { ...memory, destroyVersion } })
  const copies = async (): Promise<readonly (number | undefined)[] | undefined> =>
    (await vault.status()).regions[0]?.rootVersions.map(({ destruction }) => destruction?.copiesUntil)
  await toEnd(vault.rotateRootKey())
  await toEnd(vault.closeEpoch(WITHOUT))
  expect(await copies()).toEqual([START + DAY, undefined])
  copiesUntil = START + 30 * DAY
  expect(await phasesOf(vault.closeEpoch(WITHOUT))).toEqual(['preparing'])
  expect(await copies()).toEqual([START + 30 * DAY, undefined])
})

describe('what was asked about is what is destroyed', () => {
  const rotation = async ({ vault }: World) => (await vault.status()).regions[0]?.rotation

  test('another rotation that ends meanwhile: nothing is destroyed', async () => {
    const made = await world()
    await toEnd(made.vault.rotateRootKey())
    expect(await rotation(made)).toMatchObject({ state: 'finished', reached: 2 })
    await toEnd(made.vault.rotateRootKey())
    expect(await outcome(() => toEnd(made.vault.closeEpoch({ ...WITHOUT, rootVersions: [1] })))).toBe('epoch_blocked')
    expect(await liveIn(made)).toEqual([1, 2, 3])
    expect(await outcome(() => toEnd(made.vault.closeEpoch({ ...WITHOUT, rootVersions: [1, 2] })))).toBe('done')
    expect(await liveIn(made)).toEqual([3])
  })

  test('one that was only begun ends nothing, and status says how far the last one had come', async () => {
    const made = await world()
    await toEnd(made.vault.rotateRootKey())
    for await (const { phase, done } of made.vault.rotateRootKey()) if (phase === 'preparing' && done === 1) break
    expect(await rotation(made)).toMatchObject({ state: 'unfinished', rootVersion: 3, reached: 2 })
    await toEnd(made.vault.closeEpoch({ ...WITHOUT, rootVersions: [1] }))
    expect(await liveIn(made)).toEqual([2, 3])
  })

  test.each([[['1']], [[0]], ['1'], [[1.5]]])('%j is no list of versions', async (rootVersions) => {
    const { vault } = await world()
    expect(await outcome(() => toEnd(vault.closeEpoch({ ...WITHOUT, rootVersions: rootVersions as unknown as number[] })))).toBe(
      'invalid_argument',
    )
  })

  test('a halt that is called when the destruction is announced stops it', async () => {
    const made = await world()
    await toEnd(made.vault.rotateRootKey())
    const abort = new AbortController()
    const halted = async (): Promise<void> => {
      for await (const { phase } of made.vault.closeEpoch({ ...WITHOUT, signal: abort.signal }))
        if (phase === 'destroying') abort.abort(new Error('halt'))
    }
    await expect(halted()).rejects.toThrow('halt')
    expect(await liveIn(made)).toEqual([1, 2])
  })
})
