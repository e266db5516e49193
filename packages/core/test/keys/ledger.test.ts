// Pages of the ledger: what is appended together is stored together, found by any of its numbers, and refused as a whole.
import { type StateStore, StrongroomError, type VaultRecord } from '@strongroom/core'
import { memoryKeyStore, type MemoryStateStore, memoryStateStore } from '@strongroom/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { lp, split } from '#core/format/bytes.js'
import { type LedgerEntry, LedgerOp, type SealedLedgerEntry, sealLedgerEntry } from '#core/format/ledger-entry.js'
import { type LedgerPosition, NodeKind, Reason } from '#core/format/records.js'
import type { KeyContext } from '#core/keys/key-context.js'
import { hasLedger, settleFirstEntry, withdrawFirstEntry, writeFirstEntry } from '#core/keys/first-entry.js'
import { Ledger, LEDGER_PAGE, LEDGER_START, type LedgerDraft, ledgerKey, writePage } from '#core/keys/ledger.js'

import { flipped, hex, outcome } from '../vault/support.ts'

const LEDGER = 'strongroom/ledger'
const KEY = new Uint8Array(32).fill(7)
const VAULT = new Uint8Array(16).fill(9)

interface Ground {
  readonly context: Pick<KeyContext, 'stateStore' | 'vaultId'>
  readonly stateStore: MemoryStateStore
  readonly ledger: Ledger
  /** Another process: it has read nothing yet. */
  another(stateStore?: StateStore): Ledger
  /** The entry up to which the key store knows the ledger. */
  acknowledge(head: LedgerPosition): Promise<void>
}

async function ground(): Promise<Ground> {
  const [keyStore, stateStore] = [memoryKeyStore(), memoryStateStore()]
  const check = new Uint8Array(32)
  const fixed = { vaultId: VAULT, homeRegion: 'eu', cacheBound: 1000, created: 1, check }
  const record: VaultRecord = { type: 'vault', revision: 1, ...fixed, head: LEDGER_START, applied: 0 }
  await keyStore.put(record)
  const context = { vaultId: VAULT, keyStore, stateStore }
  const another = (store: StateStore = stateStore): Ledger => new Ledger({ ...context, stateStore: store }, () => Promise.resolve(KEY))
  return {
    context,
    stateStore,
    ledger: another(),
    another,
    acknowledge: ({ n, hash }) =>
      Promise.resolve(keyStore.edit({ type: 'vault' }, (stored) => ({ ...(stored as VaultRecord), head: { n, hash } }))),
  }
}

/** Drafts that say who made them, and in which order. */
const drafts = (count: number, by = 0): LedgerDraft[] =>
  Array.from({ length: count }, (_, i) => ({
    op: LedgerOp.shred,
    kind: NodeKind.subject,
    ref: new Uint8Array(16).fill(by),
    parentRef: new Uint8Array(16),
    tenantRef: new Uint8Array(16),
    region: 'eu',
    keys: i % 3 === 0 ? [] : [{ version: i, commitment: new Uint8Array(32).fill(i) }],
    rootVersion: { number: 1, id: new Uint8Array(16) },
    instant: i,
    reason: Reason.unspecified,
  }))

const appendBatch = (ledger: Ledger, count: number, by = 0): Promise<readonly SealedLedgerEntry[]> =>
  ledger.appendAll(() => Promise.resolve(drafts(count, by)))

async function appended(ledger: Ledger, sizes: readonly number[]): Promise<readonly SealedLedgerEntry[]> {
  const all: SealedLedgerEntry[] = []
  for (const [by, size] of sizes.entries()) all.push(...(await appendBatch(ledger, size, by)))
  return all
}

async function collected(entries: AsyncIterable<SealedLedgerEntry>): Promise<readonly SealedLedgerEntry[]> {
  const all: SealedLedgerEntry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

// Two entries are the same if their hashes are: it is over all that they say.
const said = (entries: readonly Pick<LedgerPosition, 'hash'>[]): string[] => entries.map(({ hash }) => hex(hash))
const position = ({ n, hash }: LedgerPosition): LedgerPosition => ({ n, hash })
const pages = ({ stateStore }: Pick<Ground, 'stateStore'>) => stateStore.snapshot().toSorted((a, b) => (a.key < b.key ? -1 : 1))
const sizesOf = (made: Ground): number[] => pages(made).map(({ value }) => split(value)?.length ?? Number.NaN)
const pageAt = (made: Ground, n: number): Uint8Array => {
  const value = pages(made).find(({ key }) => key === ledgerKey(VAULT, n))?.value
  return value ?? expect.fail(`no page at ${n}`)
}
const replace = (made: Pick<Ground, 'stateStore'>, n: number, value: Uint8Array | undefined): void =>
  made.stateStore.edit(LEDGER, ledgerKey(VAULT, n), () => value)
const joined = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts.map(lp))
const partsOf = (page: Uint8Array): Uint8Array[] => split(page) ?? expect.fail('no page')

describe('a batch', () => {
  test('is one stored value, under the number of its first entry; its entries follow each other and the one before', async () => {
    const made = await ground()
    const sizes = [1, 2, LEDGER_PAGE, 3, 1, LEDGER_PAGE - 1]
    const all = await appended(made.ledger, sizes)

    expect(sizesOf(made)).toEqual(sizes)
    let first = 1
    for (const [i, { namespace, key }] of pages(made).entries()) {
      expect([namespace, key]).toEqual([LEDGER, ledgerKey(VAULT, first)])
      first += sizes[i] as number
    }
    let previous = LEDGER_START.hash
    for (const [i, entry] of all.entries()) {
      expect(entry.n).toBe(i + 1)
      expect(hex(entry.previous)).toBe(hex(previous))
      expect(hex(entry.vaultId)).toBe(hex(VAULT))
      previous = entry.hash
    }
    expect(said(await collected(made.another().after(LEDGER_START)))).toEqual(said(all))
  })

  test('comes back as it was said, in its order', async () => {
    const made = await ground()
    const batch = drafts(20, 3)
    await made.ledger.appendAll(() => Promise.resolve(batch))
    const read = await collected(made.another().after(LEDGER_START))

    expect(read).toMatchObject(batch)
  })

  test('has at most 256 entries; an empty one appends nothing', async () => {
    const made = await ground()

    expect(await appendBatch(made.ledger, 0)).toEqual([])
    await expect(appendBatch(made.ledger, LEDGER_PAGE + 1)).rejects.toMatchObject({ code: 'invalid_argument', argument: 'drafts' })
    expect(pages(made)).toEqual([])
    expect((await appendBatch(made.ledger, LEDGER_PAGE)).length).toBe(256)
  })

  test('of one is what `append` writes, and what the first entry of a vault is', async () => {
    const [made, other] = [await ground(), await ground()]
    const [draft] = drafts(1) as [LedgerDraft]
    const entry = await made.ledger.append(() => Promise.resolve(draft))
    const first = await writeFirstEntry(other.context, KEY, { ...draft, vaultId: VAULT, n: 1, previous: LEDGER_START.hash })

    expect(entry).toEqual(first)
    expect(await other.ledger.find(1)).toEqual(first)
    await expect(writeFirstEntry(other.context, KEY, first)).rejects.toMatchObject({ code: 'conflict' })
    expect([await hasLedger(other.stateStore), await hasLedger(made.stateStore)]).toEqual([false, true])
    await settleFirstEntry(other.context)
    expect(await hasLedger(other.stateStore)).toBe(true)
    // The same page, written once more.
    expect(pages(made)).toEqual(pages(other).map((page) => ({ ...page, version: pages(made)[0]?.version })))
    expect(await other.ledger.find(1)).toEqual(first)
    await withdrawFirstEntry(other.context)
    expect(pages(other)).toEqual([])
  })
})

describe('what the entries say', () => {
  test('is asked for in every attempt, after the tail was read and before the write', async () => {
    const made = await ground()
    const [{ hash }] = (await appended(made.ledger, [3, 1])).slice(-1) as [SealedLedgerEntry]
    await made.acknowledge({ n: 4, hash })
    const steps: string[] = []
    const { get, scan, put } = made.stateStore
    const noted: StateStore = {
      ...made.stateStore,
      get: (...args) => (steps.push('read'), get(...args)),
      scan: (...args) => (steps.push('read'), scan(...args)),
      put: (...args) => (steps.push('write'), put(...args)),
    }
    let attempts = 0
    const entries = await made.another(noted).appendAll(async () => {
      steps.push('draft')
      // Another process is faster, as long as it can be: between the reading of the tail and the write.
      if (attempts++ < 3) await appendBatch(made.ledger, 2, 7)
      return drafts(2, 8)
    })

    const attempt = ['read', 'draft', 'write']
    expect(steps.filter((step, i) => step !== steps[i - 1])).toEqual([...attempt, ...attempt, ...attempt, ...attempt])
    expect(entries.map(({ n }) => n)).toEqual([11, 12])
    expect(sizesOf(made)).toEqual([3, 1, 2, 2, 2, 2])
  })

  test('knows of every entry before it: no root version is entered between the asking and the write', async () => {
    const made = await ground()
    let newest = 1
    const rotate = async (): Promise<void> => {
      const [draft] = drafts(1) as [LedgerDraft]
      await made
        .another()
        .append(() => Promise.resolve({ ...draft, op: LedgerOp.rootCreated, rootVersion: { number: newest + 1, id: KEY } }))
      newest++
    }
    let rotations = 2
    const shred = await made.ledger.append(async () => {
      const [draft] = drafts(1) as [LedgerDraft]
      const rootVersion = { number: newest, id: KEY }
      if (rotations-- > 0) await rotate()
      return { ...draft, rootVersion }
    })

    expect(shred.n).toBe(3)
    expect(shred.rootVersion.number).toBe(3)
  })

  test('cannot be told, and nothing is written', async () => {
    const made = await ground()
    const refused = made.ledger.append(() => Promise.reject(new StrongroomError('key_provider_unavailable', 'away')))

    await expect(refused).rejects.toMatchObject({ code: 'key_provider_unavailable' })
    expect(pages(made)).toEqual([])
  })
})

describe('every entry', () => {
  const SIZES = [1, 5, 1, 1, 30, 2, 1, 12, 3]

  test('is found by its number, by a process that has read others and by one that has not', async () => {
    const made = await ground()
    const all = await appended(made.ledger, SIZES)

    for (const entry of all) {
      expect(await made.another().find(entry.n)).toEqual(entry)
      expect(await made.ledger.find(entry.n)).toEqual(entry)
      expect(await made.ledger.position(entry.n)).toEqual(position(entry))
    }
    for (const n of [0, all.length + 1, all.length + 2, all.length + 300, 2 ** 52]) expect(await made.ledger.find(n)).toBeUndefined()
    expect(await made.ledger.position(0)).toEqual(LEDGER_START)
    await expect(made.ledger.position(all.length + 1)).rejects.toMatchObject({ code: 'ledger_invalid' })
  })

  test('can be where the reading begins, and where the key store’s knowledge ends', async () => {
    const made = await ground()
    const all = [...(await appended(made.ledger, SIZES))]

    for (let n = 0; n <= all.length; n++) {
      const from = n === 0 ? LEDGER_START : position(all[n - 1] as SealedLedgerEntry)
      expect(said(await collected(made.another().after(from)))).toEqual(said(all.slice(n)))
    }
    for (const head of all.slice(0, 12)) {
      await made.acknowledge(head)
      all.push(await made.another().append(() => Promise.resolve(drafts(1, 77)[0] as LedgerDraft)))
      expect(all.at(-1)?.n).toBe(all.length)
    }
    expect(said(await collected(made.ledger.after(LEDGER_START)))).toEqual(said(all))
  })

  test('is found in a long ledger too, without reading much of it, however the numbers lie', async () => {
    const made = await ground()
    const batches = [255, 1, 256, 256, 2, 254, 1, 1, 255, 256]
    const many = Array.from({ length: 300 }, () => 1)
    const all = [...(await appended(made.ledger, batches))]
    for (const _ of many) {
      const previous = all.at(-1) as SealedLedgerEntry
      const entry = { ...(drafts(1)[0] as LedgerDraft), vaultId: VAULT, n: previous.n + 1, previous: previous.hash }
      const { bytes, hash } = sealLedgerEntry(KEY, entry)
      await writePage(made.context, entry.n, [bytes])
      all.push({ ...entry, hash })
    }
    await made.acknowledge(all.at(-1) as SealedLedgerEntry)
    all.push(...(await appendBatch(made.ledger, 256)), ...(await appendBatch(made.ledger, 256)))
    let entriesRead = 0
    const { get, scan } = made.stateStore
    const counting: StateStore = {
      ...made.stateStore,
      get: async (...args) => {
        const stored = await get(...args)
        if (stored !== undefined) entriesRead += partsOf(stored.value).length
        return stored
      },
      scan: async (...args) => {
        const stored = await scan(...args)
        for (const { value } of stored) entriesRead += partsOf(value).length
        return stored
      },
    }
    const starts = pages(made).map(({ key }) => Number.parseInt(key.slice(-16), 16))
    for (const n of new Set(starts.flatMap((start) => [start - 1, start, start + 1]).filter((each) => each > 0)).add(all.length)) {
      entriesRead = 0
      expect(hex((await made.another(counting).find(n))?.hash as Uint8Array)).toBe(hex(all[n - 1]?.hash as Uint8Array))
      expect(entriesRead).toBeLessThanOrEqual(2 * (2 * LEDGER_PAGE - 1))
    }
    // Through more pages than one look at the store gives.
    expect(said(await collected(made.ledger.after(LEDGER_START)))).toEqual(said(all))
    for (const n of [1, 255, 256, 257, 1280, all.length - 300, all.length - 256, all.length]) {
      expect(said(await collected(made.another().after(position(all[n - 1] as SealedLedgerEntry))))).toEqual(said(all.slice(n)))
    }
  })
})

describe('as a plain list', () => {
  type Step =
    | { readonly append: number }
    | { readonly find: number }
    | { readonly after: number }
    | { readonly head: number }
    | 'another process'
  const size = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 }), fc.constantFrom(255, 256))
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ append: size }) },
    { weight: 3, arbitrary: fc.record({ find: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ after: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ head: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant<Step>('another process') },
  )

  test('whatever is appended, looked for and gone through, from wherever', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }), async (steps) => {
        const made = await ground()
        let { ledger } = made
        const model: SealedLedgerEntry[] = []
        const at = (n: number): LedgerPosition => (n === 0 ? LEDGER_START : position(model[n - 1] as SealedLedgerEntry))
        for (const each of steps) {
          if (each === 'another process') ledger = made.another()
          else if ('append' in each) model.push(...(await appendBatch(ledger, each.append, model.length % 251)))
          else if ('find' in each) {
            const n = each.find % (model.length + 2)
            expect(await ledger.find(n)).toEqual(model[n - 1])
          } else if ('after' in each) {
            const n = each.after % (model.length + 1)
            expect(said(await collected(ledger.after(at(n))))).toEqual(said(model.slice(n)))
          } else await made.acknowledge(at(each.head % (model.length + 1)))
        }
        expect(said(await collected(made.another().after(LEDGER_START)))).toEqual(said(model))
      }),
      { numRuns: 15 },
    )
  })
})

describe('two appenders at once', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })

  test('whoever is first: nothing comes between the entries of a batch, and each batch is there once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), sizes, sizes, async (scheduler, a, b) => {
        const made = await ground()
        const inTurns = (name: string): StateStore => {
          const turn = async <T>(what: string, answer: () => Promise<T>): Promise<T> => {
            await scheduler.schedule(Promise.resolve(), `${name} asks ${what}`)
            const value = await answer()
            await scheduler.schedule(Promise.resolve(), `${name} hears ${what}`)
            return value
          }
          const { get, scan, put } = made.stateStore
          return {
            ...made.stateStore,
            get: (...args) => turn('get', () => get(...args)),
            scan: (...args) => turn('scan', () => scan(...args)),
            put: (...args) => turn('put', () => put(...args)),
          }
        }
        const run = async (by: number, batches: readonly number[]): Promise<readonly (readonly SealedLedgerEntry[])[]> => {
          const ledger = made.another(inTurns(`appender ${by}`))
          const done: (readonly SealedLedgerEntry[])[] = []
          for (const count of batches) done.push(await appendBatch(ledger, count, by))
          return done
        }
        const answers = (await scheduler.waitFor(Promise.all([run(1, a), run(2, b)]))).flat()
        const all = await collected(made.ledger.after(LEDGER_START))

        expect(all.length).toBe([...a, ...b].reduce((sum, count) => sum + count, 0))
        // Each is where its appender was told, one behind the other.
        for (const batch of answers) {
          const first = batch[0]?.n as number
          expect(said(all.slice(first - 1, first - 1 + batch.length))).toEqual(said(batch))
          expect(batch.map(({ instant }) => instant)).toEqual(batch.map((_, i) => i))
        }
        expect(sizesOf(made).toSorted((x, y) => x - y)).toEqual([...a, ...b].toSorted((x, y) => x - y))
        for (const [by, batches] of [
          [1, a],
          [2, b],
        ] as const) {
          expect(answers.filter(([entry]) => entry?.ref[0] === by).map((batch) => batch.length)).toEqual(batches)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('a page that is not as it was written', () => {
  // Pages: 1, 2 … 6, 7 … 9, 10.
  const SIZES = [1, 5, 3, 1]
  const BATCH = [2, 3, 4, 5, 6]

  const cut = (change: (parts: Uint8Array[]) => readonly Uint8Array[]) => (made: Ground) =>
    replace(made, 2, joined(change(partsOf(pageAt(made, 2)))))
  const entriesAt = (made: Ground, n: number): Uint8Array[] => partsOf(pageAt(made, n))

  // Each changes the page 2 … 6, and perhaps others.
  const ATTACKS: readonly (readonly [string, (made: Ground) => void])[] = [
    ['its first entry left out', cut((parts) => parts.slice(1))],
    ['an entry in the middle left out', cut((parts) => parts.toSpliced(2, 1))],
    ['its last entry left out', cut((parts) => parts.slice(0, -1))],
    ['its last three entries left out', cut((parts) => parts.slice(0, -3))],
    ['all entries left out', cut(() => [])],
    ['two entries in the other order', cut((parts) => [...parts.slice(0, 2), ...parts.slice(2, 4).toReversed(), ...parts.slice(4)])],
    ['all entries in the other order', cut((parts) => parts.toReversed())],
    ['an entry twice', cut((parts) => parts.toSpliced(2, 0, parts[2] as Uint8Array))],
    ['its last entry twice', cut((parts) => [...parts, parts.at(-1) as Uint8Array])],
    ['an empty entry behind', cut((parts) => [...parts, new Uint8Array(0)])],
    ['an empty entry before', cut((parts) => [new Uint8Array(0), ...parts])],
    ['nonsense behind', cut((parts) => [...parts, new Uint8Array(300).fill(1)])],
    ['the page before in front of it', (made) => replace(made, 2, joined([...entriesAt(made, 1), ...entriesAt(made, 2)]))],
    ['the page behind it moved into it, and left', (made) => replace(made, 2, joined([...entriesAt(made, 2), ...entriesAt(made, 7)]))],
    ['its last bytes cut', (made) => replace(made, 2, pageAt(made, 2).slice(0, -1))],
    ['its first bytes cut', (made) => replace(made, 2, pageAt(made, 2).slice(1))],
    ['zeros behind', (made) => replace(made, 2, Buffer.concat([pageAt(made, 2), new Uint8Array(3)]))],
    ['an entry without its length, as one of a page', (made) => replace(made, 2, entriesAt(made, 2)[0] as Uint8Array)],
    ['emptied', (made) => replace(made, 2, new Uint8Array(0))],
    ['gone', (made) => replace(made, 2, undefined)],
    ['the next page in its place', (made) => replace(made, 2, pageAt(made, 7))],
    [
      'exchanged with the next page',
      (made) => {
        const [one, other] = [pageAt(made, 2), pageAt(made, 7)]
        replace(made, 2, other)
        replace(made, 7, one)
      },
    ],
    [
      'under the number before',
      (made) => {
        replace(made, 1, pageAt(made, 2))
        replace(made, 2, undefined)
      },
    ],
    [
      'under the number behind',
      (made) => {
        replace(made, 3, pageAt(made, 2))
        replace(made, 2, undefined)
      },
    ],
    ['there a second time, under another of its numbers', (made) => replace(made, 4, pageAt(made, 2))],
    [
      'there a second time, under another of its numbers and without the entries before',
      (made) => replace(made, 4, joined(entriesAt(made, 2).slice(2))),
    ],
  ]

  test.each(ATTACKS)('%s: refused by whoever goes through it', async (_, attack) => {
    const made = await ground()
    const all = await appended(made.ledger, SIZES)
    await made.ledger.find(4)
    attack(made)

    const answers: string[][] = []
    for (const ledger of [made.ledger, made.another()]) {
      expect(await outcome(() => collected(ledger.after(LEDGER_START)))).toBe('ledger_invalid')
      expect(await outcome(() => appendBatch(ledger, 1))).toBe('ledger_invalid')
      // An entry is the genuine one of its number, or refused, or not there; never another.
      const found: string[] = []
      for (const entry of all) found.push(await outcome(async () => expect(said([await ledger.position(entry.n)])).toEqual(said([entry]))))
      for (const each of found) expect(['done', 'ledger_invalid']).toContain(each)
      // Nothing that is behind is reached from within but what was behind.
      const behind: string[] = []
      for (const n of BATCH.slice(0, -1)) {
        const after = position(all[n - 1] as SealedLedgerEntry)
        behind.push(await outcome(async () => expect(said(await collected(ledger.after(after)))).toEqual(said(all.slice(n)))))
      }
      for (const each of behind) expect(['done', 'ledger_invalid']).toContain(each)
      answers.push([...found, ...behind])
    }
    // It is what is stored that counts, not what was read before.
    expect(answers[0]).toEqual(answers[1])
  })

  test('emptied: what it held is not taken for what never was', async () => {
    const made = await ground()
    await appended(made.ledger, SIZES)
    replace(made, 2, new Uint8Array(0))

    for (const n of BATCH) expect(await outcome(() => made.another().find(n))).toBe('ledger_invalid')
  })

  test('any bit changed: all its entries are refused, and none of another page', async () => {
    const made = await ground()
    const all = await appended(made.ledger, SIZES)
    const page = pageAt(made, 2)
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * page.length - 1), async (bit) => {
        replace(made, 2, flipped(page, bit))
        for (const ledger of [made.ledger, made.another()]) {
          for (const n of BATCH) expect(await outcome(() => ledger.find(n))).toBe('ledger_invalid')
          for (const n of [1, 7, 9, 10]) expect(await ledger.find(n)).toEqual(all[n - 1])
          expect(await outcome(() => collected(ledger.after(LEDGER_START)))).toBe('ledger_invalid')
          expect(await outcome(() => collected(ledger.after(position(all[3] as SealedLedgerEntry))))).toBe('ledger_invalid')
          expect(said(await collected(ledger.after(position(all[6] as SealedLedgerEntry))))).toEqual(said(all.slice(7)))
        }
        replace(made, 2, page)
        expect(await made.ledger.find(4)).toEqual(all[3])
      }),
      { numRuns: 150 },
    )
  })

  test('what one process has seen of it is what is stored, not what was', async () => {
    const made = await ground()
    const all = await appended(made.ledger, SIZES)
    const buffers = new Map<string, Uint8Array>()
    const { get, scan } = made.stateStore
    const reused = (key: string, value: Uint8Array): Uint8Array => {
      const buffer = buffers.get(key) ?? new Uint8Array(4096)
      buffers.set(key, buffer)
      buffer.set(value)
      return buffer.subarray(0, value.length)
    }
    // A store that gives the same memory for a key each time, as it may.
    const reusing: StateStore = {
      ...made.stateStore,
      get: async (namespace, key) => {
        const stored = await get(namespace, key)
        return stored && { ...stored, value: reused(key, stored.value) }
      },
      scan: async (...args) => (await scan(...args)).map((stored) => ({ ...stored, value: reused(stored.key, stored.value) })),
    }
    const ledger = made.another(reusing)
    const found = await ledger.find(4)
    replace(made, 2, flipped(pageAt(made, 2), 8 * 40))

    expect(await outcome(() => ledger.find(4))).toBe('ledger_invalid')
    expect(found).toEqual(all[3])
  })

  test('of another line of the same ledger: refused where the lines part, and so is a mixture of both', async () => {
    const [one, two] = [await ground(), await ground()]
    const [first] = await appendBatch(one.ledger, 1)
    two.stateStore.restore(one.stateStore.snapshot())
    const mine = [first as SealedLedgerEntry, ...(await appendBatch(one.ledger, 5, 1)), ...(await appendBatch(one.ledger, 3, 1))]
    const theirs = [first as SealedLedgerEntry, ...(await appendBatch(two.ledger, 5, 2)), ...(await appendBatch(two.ledger, 3, 2))]
    const [a, b] = [partsOf(pageAt(one, 2)), partsOf(pageAt(two, 2))]
    const own = pageAt(one, 2)

    replace(one, 2, pageAt(two, 2))
    for (const ledger of [one.ledger, one.another()]) {
      expect(await outcome(() => collected(ledger.after(LEDGER_START)))).toBe('ledger_invalid')
      for (let n = 2; n <= 6; n++) {
        // Each entry is genuine; it is not the one that this line had.
        expect(await outcome(() => collected(ledger.after(position(mine[n - 1] as SealedLedgerEntry))))).toBe('ledger_invalid')
        expect(await outcome(() => ledger.requireHead(mine[n - 1] as SealedLedgerEntry))).toBe('ledger_invalid')
        expect(await outcome(() => collected(ledger.after(position(theirs[n - 1] as SealedLedgerEntry))))).toBe('ledger_invalid')
      }
    }
    for (let at = 1; at < 5; at++) {
      for (const mixed of [
        [...a.slice(0, at), ...b.slice(at)],
        [...b.slice(0, at), ...a.slice(at)],
      ]) {
        replace(one, 2, joined(mixed))
        for (let n = 2; n <= 6; n++) expect(await outcome(() => one.another().find(n))).toBe('ledger_invalid')
        expect(await outcome(() => collected(one.another().after(LEDGER_START)))).toBe('ledger_invalid')
      }
    }
    replace(one, 2, own)
    expect(said(await collected(one.ledger.after(LEDGER_START)))).toEqual(said(mine))
  })

  test('divided or joined where entries meet: it says the same, and is read as the same', async () => {
    const made = await ground()
    const all = await appended(made.ledger, SIZES)
    const [batch, next] = [entriesAt(made, 2), entriesAt(made, 7)]
    replace(made, 2, joined(batch.slice(0, 2)))
    replace(made, 4, joined([...batch.slice(2), ...next]))
    replace(made, 7, undefined)
    const ledger = made.another()

    expect(said(await collected(ledger.after(LEDGER_START)))).toEqual(said(all))
    for (const entry of all) expect(await ledger.find(entry.n)).toEqual(entry)
  })

  describe('though whoever wrote it holds the key', () => {
    const chained = (count: number, from = LEDGER_START, change: (entry: LedgerEntry, i: number) => LedgerEntry = (entry) => entry) => {
      let { hash: previous } = from
      return drafts(count).map((draft, i) => {
        const sealed = sealLedgerEntry(KEY, change({ ...draft, vaultId: VAULT, n: from.n + 1 + i, previous }, i))
        previous = sealed.hash
        return sealed.bytes
      })
    }

    test.each([
      ['a gap in its numbers', joined(chained(5, LEDGER_START, (entry, i) => ({ ...entry, n: i < 3 ? entry.n : entry.n + 1 })))],
      ['a number twice', joined(chained(5, LEDGER_START, (entry, i) => ({ ...entry, n: i < 3 ? entry.n : entry.n - 1 })))],
      ['other numbers than its key', joined(chained(5, { n: 1, hash: LEDGER_START.hash }))],
      [
        'an entry that does not continue the one before',
        joined(chained(5, LEDGER_START, (entry, i) => (i === 3 ? { ...entry, previous: KEY } : entry))),
      ],
      [
        'an entry of another vault',
        joined(chained(5, LEDGER_START, (entry, i) => (i === 3 ? { ...entry, vaultId: KEY.slice(16) } : entry))),
      ],
      ['one entry too many', joined(chained(LEDGER_PAGE + 1))],
    ])('%s', async (_, page) => {
      const made = await ground()
      made.stateStore.edit(LEDGER, ledgerKey(VAULT, 1), () => page)

      for (const n of [1, 2, 4, 5]) expect(await outcome(() => made.another().find(n))).toBe('ledger_invalid')
      expect(await outcome(() => collected(made.ledger.after(LEDGER_START)))).toBe('ledger_invalid')
    })

    test('as many as there may be: read', async () => {
      const made = await ground()
      made.stateStore.edit(LEDGER, ledgerKey(VAULT, 1), () => joined(chained(LEDGER_PAGE)))

      expect((await collected(made.ledger.after(LEDGER_START))).length).toBe(256)
      expect((await made.ledger.find(256))?.n).toBe(256)
    })

    test('a number left out between it and the page before', async () => {
      const made = await ground()
      const [{ hash }] = (await appended(made.ledger, [1])) as [SealedLedgerEntry]
      made.stateStore.edit(LEDGER, ledgerKey(VAULT, 3), () => joined(chained(2, { n: 2, hash })))

      expect(await outcome(() => collected(made.ledger.after(LEDGER_START)))).toBe('ledger_invalid')
    })

    test('a first entry that continues nothing', async () => {
      const made = await ground()
      made.stateStore.edit(LEDGER, ledgerKey(VAULT, 1), () => joined(chained(5, { n: 0, hash: KEY })))

      expect(await outcome(() => collected(made.ledger.after(LEDGER_START)))).toBe('ledger_invalid')
      expect(await outcome(() => collected(made.ledger.after({ n: 0, hash: KEY })))).toBe('ledger_invalid')
    })
  })

  test.each(['0000000000000003x', '00000000000000003', '000000000000000z', 'zzzz'])(
    'a stored value under %s, which is no number: refused by whoever goes past it, and never an entry',
    async (key) => {
      const made = await ground()
      const all = await appended(made.ledger, SIZES)
      made.stateStore.edit(LEDGER, `${hex(VAULT)}/${key}`, () => pageAt(made, 2))

      expect(await outcome(() => collected(made.ledger.after(LEDGER_START)))).toBe('ledger_invalid')
      for (const { n } of all) {
        const found = await made
          .another()
          .find(n)
          .catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'ledger_invalid' })
          })
        if (found !== undefined) expect(found).toEqual(all[n - 1])
      }
    },
  )

  test('the end cut off, or a position that is not there: noticed as far as the key store knows', async () => {
    const made = await ground()
    const all = await appended(made.ledger, SIZES)
    const whole = made.stateStore.snapshot()
    for (const head of all) {
      made.stateStore.restore(whole)
      await made.acknowledge(head)
      for (const { key } of pages(made)) {
        made.stateStore.restore(whole)
        // This page and all behind it.
        for (const page of pages(made)) if (page.key >= key) made.stateStore.edit(LEDGER, page.key, () => undefined)
        const left = sizesOf(made).reduce((sum, size) => sum + size, 0)
        const append = outcome(() => appendBatch(made.another(), 1))
        expect(await append).toBe(left >= head.n ? 'done' : 'ledger_invalid')
      }
    }
  })
})

describe('an initVault that is on its way', () => {
  test('what is written or withdrawn while one looks is no ledger; what is settled then is one', async () => {
    const [draft] = drafts(1) as [LedgerDraft]
    const calls = ['due', 'scan', 'get'] as const
    for (const call of calls)
      for (const happens of [withdrawFirstEntry, settleFirstEntry, undefined]) {
        const { context, stateStore } = await ground()
        const write = () => writeFirstEntry(context, KEY, { ...draft, vaultId: VAULT, n: 1, previous: LEDGER_START.hash })
        if (happens !== undefined) await write()
        let done = false
        const meanwhile = async (): Promise<void> => {
          if (done) return
          done = true
          await (happens ?? write)(context)
        }
        const after = async <T>(name: string, answer: Promise<T>): Promise<T> => {
          const got = await answer
          if (name === call) await meanwhile()
          return got
        }
        const watched: StateStore = {
          ...stateStore,
          due: (...args) => after('due', stateStore.due(...args)),
          scan: (...args) => after('scan', stateStore.scan(...args)),
          get: (...args) => after('get', stateStore.get(...args)),
        }
        // Settled before it was asked whether it is due, it is one; behind that question nobody looks again.
        expect([call, happens?.name, await hasLedger(watched)]).toEqual([
          call,
          happens?.name,
          call === 'scan' && happens === settleFirstEntry,
        ])
      }
  })
})
