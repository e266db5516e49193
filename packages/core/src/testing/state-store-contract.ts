/** The contract of `StateStore`, as cases that every implementation runs: ours, a third party's, the one in memory. */

import { EMPTY } from '../format/bytes.ts'
import type { StateStore } from '../keys/state-store.ts'
import { check, checkSame, type ContractCase, expectCode } from './contract.ts'
import type { ContractWorker } from './contract-processes.ts'
import { pattern } from './contract-records.ts'
import { stateStoreProcessCases } from './state-store-process-cases.ts'

/** What the state store contract needs of an implementation. */
export interface StateStoreContractOptions {
  /** Opens a store that holds nothing yet. */
  open(): Promise<{ readonly store: StateStore; close(): Promise<void> }>
  /** With it, the cases that need several processes are included. */
  readonly worker?: ContractWorker
  /** Rounds of the counting case (20 processes, 60 increments each). 20 unless given. */
  readonly rounds?: number
}

/**
 * Lists the cases of the state store contract.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { memoryStateStore, stateStoreContract } from '@strongroom/core/testing'
 *
 * const open = async () => ({ store: memoryStateStore(), close: async () => {} })
 * for (const { name, run } of stateStoreContract({ open })) test(name, run)
 * ```
 */
export function stateStoreContract(options: StateStoreContractOptions): readonly ContractCase[] {
  const here = CASES.map(({ name, run }) => ({
    name: `state store: ${name}`,
    async run() {
      const { store, close } = await options.open()
      try {
        await run(store)
      } finally {
        await close()
      }
    },
  }))
  return options.worker === undefined ? here : [...here, ...stateStoreProcessCases(options.worker, options.rounds ?? 20)]
}

const ONE = Uint8Array.of(1)
const TWO = Uint8Array.of(2)
const INSTANT = Date.UTC(2030, 0, 1)

const CASES: readonly { readonly name: string; run(store: StateStore): Promise<void> }[] = [
  {
    name: 'put writes over the expected version and no other, and a conflict changes nothing',
    async run(store) {
      check((await store.get('n', 'k')) === undefined, 'an empty store holds nothing')
      await expectCode(store.put('n', 'k', ONE, { expected: 'never-given' }), 'conflict')
      check((await store.get('n', 'k')) === undefined, 'a conflict makes no entry')
      const first = await store.put('n', 'k', ONE, { expected: 'absent' })
      checkSame(await store.get('n', 'k'), { value: ONE, version: first }, 'what was put is read, with the version that put returned')
      await expectCode(store.put('n', 'k', TWO, { expected: 'absent', due: INSTANT }), 'conflict')
      const second = await store.put('n', 'k', TWO, { expected: first })
      await expectCode(store.put('n', 'k', ONE, { expected: first, due: INSTANT }), 'conflict')
      checkSame(await store.get('n', 'k'), { value: TWO, version: second }, 'a conflict changes neither value nor version')
      checkSame(await store.due('n', INSTANT, 10), [], 'nor the due instant')
    },
  },
  {
    name: 'delete removes the expected version and no other',
    async run(store) {
      await expectCode(store.delete('n', 'k', { expected: 'never-given' }), 'conflict')
      const first = await store.put('n', 'k', ONE, { expected: 'absent' })
      const second = await store.put('n', 'k', TWO, { expected: first })
      for (const expected of [first, 'absent']) await expectCode(store.delete('n', 'k', { expected }), 'conflict')
      checkSame(await store.get('n', 'k'), { value: TWO, version: second }, 'a conflict removes nothing')
      await store.delete('n', 'k', { expected: second })
      check((await store.get('n', 'k')) === undefined, 'a deleted entry is gone')
      await expectCode(store.delete('n', 'k', { expected: second }), 'conflict')
    },
  },
  {
    name: 'a version is never given twice, not even after a delete',
    async run(store) {
      const given: string[] = []
      for (let i = 0; i < 5; i++) {
        const made = await store.put('n', 'k', ONE, { expected: 'absent' })
        const written = await store.put('n', 'k', ONE, { expected: made })
        await store.delete('n', 'k', { expected: written })
        given.push(made, written)
        await expectCode(store.put('n', 'k', ONE, { expected: written }), 'conflict')
      }
      const last = await store.put('n', 'k', ONE, { expected: 'absent' })
      for (const expected of given) {
        await expectCode(store.put('n', 'k', TWO, { expected }), 'conflict')
        await expectCode(store.delete('n', 'k', { expected }), 'conflict')
      }
      check(!given.includes('absent') && new Set([...given, last]).size === 11, 'eleven writes of one value have eleven versions')
    },
  },
  {
    name: 'of many writers at once one succeeds, and the conflicts of some harm no others',
    async run(store) {
      const version = await store.put('n', 'contended', ONE, { expected: 'absent' })
      const keys = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 'contended' : `own-${i}`))
      const outcomes = await Promise.allSettled(
        keys.map((key, i) => store.put('n', key, Uint8Array.of(i), { expected: key === 'contended' ? version : 'absent' })),
      )
      const winners = keys.flatMap((key, i) => (outcomes[i]?.status === 'fulfilled' ? [{ key, i }] : []))
      check(winners.filter(({ key }) => key === 'contended').length === 1, 'exactly one of 50 writers of one entry succeeds')
      check(winners.length === 51, 'writers of other entries all succeed')
      for (const { key, i } of winners) checkSame((await store.get('n', key))?.value, Uint8Array.of(i), 'what succeeded is stored')
      for (const outcome of outcomes) if (outcome.status === 'rejected') await expectCode(Promise.reject(outcome.reason), 'conflict')
    },
  },
  {
    name: 'due lists what is due at or before an instant: oldest first, then by key',
    async run(store) {
      const dues: readonly (readonly [string, number | undefined])[] = [
        ['d', INSTANT],
        ['b', 0],
        ['z', 2 ** 32],
        ['y', 255],
        ['x', 256],
        ['never', undefined],
        ['c', INSTANT],
        ['last', Number.MAX_SAFE_INTEGER],
      ]
      for (const [key, due] of dues) await store.put('n', key, pattern(3), { expected: 'absent', ...(due === undefined ? {} : { due }) })
      await store.put('nn', 'a', ONE, { expected: 'absent', due: 1 })
      const keys = async (before: number, limit: number, after?: { readonly due: number; readonly key: string }): Promise<string> =>
        (await store.due('n', before, limit, after)).map(({ key }) => key).join()
      checkSame(await keys(INSTANT, 10), 'b,y,x,z,c,d', 'oldest first, then in key order')
      checkSame(await keys(INSTANT - 1, 10), 'b,y,x,z', 'not before its instant')
      checkSame(await keys(0, 10), 'b', 'at its instant')
      checkSame(await keys(Number.MAX_SAFE_INTEGER, 10_000), 'b,y,x,z,c,d,last', 'what has no instant is never due')
      checkSame(await keys(INSTANT, 3), 'b,y,x', 'at most the limit, the oldest ones')
      checkSame(await keys(INSTANT, 3, { due: 255, key: 'y' }), 'x,z,c', 'a page goes on behind an entry')
      checkSame(await keys(INSTANT, 10, { due: INSTANT, key: 'c' }), 'd', 'also among those of one instant')
      checkSame(await keys(INSTANT, 10, { due: 255, key: 'never there' }), 'y,x,z,c,d', 'that may be gone by then')
      checkSame(await keys(INSTANT, 10, { due: 255, key: '' }), 'y,x,z,c,d', 'or before all of its instant')
      checkSame(await keys(INSTANT, 10, { due: 2 ** 40, key: 'z' }), 'c,d', 'or at an instant without any')
      checkSame(await keys(255, 10, { due: INSTANT, key: 'c' }), '', 'never past the instant that was asked for')
      const [first] = await store.due('n', INSTANT, 1)
      checkSame(first, { key: 'b', due: 0, value: pattern(3), version: (await store.get('n', 'b'))?.version }, 'a due entry is whole')
      checkSame(await keys(0, 10), 'b', 'listing claims nothing')
    },
  },
  {
    name: 'the due instant is that of the last write',
    async run(store) {
      const due = async (): Promise<unknown> =>
        (await store.due('n', INSTANT + 9, 10)).map((entry) => [entry.key, entry.due, entry.version])
      let version = await store.put('n', 'k', ONE, { expected: 'absent', due: INSTANT })
      checkSame(await due(), [['k', INSTANT, version]], 'a new entry is listed')
      version = await store.put('n', 'k', ONE, { expected: version, due: INSTANT + 5 })
      checkSame(await due(), [['k', INSTANT + 5, version]], 'a later instant replaces the first')
      version = await store.put('n', 'k', TWO, { expected: version, due: INSTANT + 5 })
      checkSame(await due(), [['k', INSTANT + 5, version]], 'the same instant again: one entry, as written last')
      version = await store.put('n', 'k', ONE, { expected: version })
      checkSame(await due(), [], 'written without one, the entry has none')
      version = await store.put('n', 'k', ONE, { expected: version, due: 0 })
      checkSame(await due(), [['k', 0, version]], 'and it can have one again')
      await store.delete('n', 'k', { expected: version })
      checkSame(await due(), [], 'a deleted entry is not due')
      await store.put('n', 'k', ONE, { expected: 'absent' })
      checkSame(await due(), [], 'nor one made anew without an instant')
    },
  },
  {
    name: 'scan lists keys by their UTF-8 bytes, by prefix, in pages',
    async run(store) {
      // In UTF-16 order the astral characters would come before U+E000 and U+FFFD.
      const sorted = [
        '\u0000',
        'A',
        'a',
        'a\u0000',
        'a/',
        'a/1',
        'a/10',
        'a/2',
        'a0',
        'aÿ',
        'aÿÿ',
        'b',
        '\u00ff',
        '\u07ff',
        '\ue000',
        '\ufffd',
        '\uffff',
        '\u{10000}',
        '\u{10ffff}',
        '\u{10ffff}\u{10ffff}',
      ]
      for (const [i, key] of sorted.toReversed().entries()) await store.put('n', key, Uint8Array.of(i), { expected: 'absent' })
      for (const namespace of ['m', 'n\u0000', 'na', 'o']) await store.put(namespace, 'a/', ONE, { expected: 'absent' })
      for (const prefix of ['', 'a', 'a/', 'a/1', 'aÿ', '\u00ff', '\uffff', '\u{10ffff}', 'none']) {
        const expected = sorted.filter((key) => key.startsWith(prefix))
        for (const limit of [1, 3, 10_000]) {
          const seen: string[] = []
          for (let after: { after?: string } = {}; ; after = { after: seen.at(-1) as string }) {
            const page = await store.scan('n', prefix, { ...after, limit })
            check(page.length <= limit, 'a page has at most its limit')
            for (const entry of page)
              checkSame(await store.get('n', entry.key), { value: entry.value, version: entry.version }, 'an entry is whole')
            seen.push(...page.map(({ key }) => key))
            if (page.length === 0 || seen.length > sorted.length) break
          }
          checkSame(seen, expected, `prefix ${JSON.stringify(prefix)} in pages of ${limit}`)
        }
      }
      checkSame(
        (await store.scan('n', 'a/', { after: 'a/11', limit: 9 })).map(({ key }) => key),
        ['a/2'],
        'after may be a key that is not there',
      )
      checkSame(await store.scan('n', 'a', { after: 'b', limit: 9 }), [], 'after may lie behind the prefix')
      check((await store.scan('n', 'a/', { after: 'A', limit: 9 })).length === 4, 'or before it')
    },
  },
  {
    name: 'namespaces are apart, and names of full length are kept whole',
    async run(store) {
      const long = '\u{1f512}'.repeat(64)
      for (const [namespace, key] of [
        ['a', 'bc'],
        ['ab', 'c'],
        ['abc', '\u0000'],
        [long, long + long],
      ] as const) {
        await store.put(namespace, key, Uint8Array.from(Buffer.from(key)), { expected: 'absent', due: 1 })
      }
      for (const [namespace, key] of [
        ['a', 'bc'],
        ['ab', 'c'],
        ['abc', '\u0000'],
        [long, long + long],
      ] as const) {
        const expected = [{ key, value: Uint8Array.from(Buffer.from(key)), version: (await store.get(namespace, key))?.version }]
        checkSame(await store.scan(namespace, '', { limit: 10 }), expected, `namespace ${namespace} lists its own`)
        checkSame(
          await store.due(namespace, 1, 10),
          expected.map((entry) => ({ ...entry, due: 1 })),
          `namespace ${namespace} is due on its own`,
        )
      }
      check((await store.get('a', 'b')) === undefined && (await store.get('abc', 'c')) === undefined, 'names do not run together')
    },
  },
  {
    name: 'values of 0 bytes to 1 MiB come back exactly, as copies',
    async run(store) {
      for (const length of [0, 1, 17, 2 ** 20]) {
        const given = pattern(length, 5)
        const version = await store.put('n', `of ${length}`, given, { expected: 'absent', due: length })
        given.fill(0)
        const read = async (): Promise<Uint8Array> => (await store.get('n', `of ${length}`))?.value as Uint8Array
        checkSame(await read(), pattern(length, 5), `a value of ${length} bytes is kept, whatever becomes of the argument`)
        ;(await read()).fill(0)
        ;(await store.scan('n', `of ${length}`, { limit: 1 }))[0]?.value.fill(0)
        ;(await store.due('n', length, 10)).at(-1)?.value.fill(0)
        checkSame(await store.get('n', `of ${length}`), { value: pattern(length, 5), version }, 'what was read is the caller’s to change')
      }
    },
  },
  {
    name: 'prepare, where there is one, may be called again and keeps what is stored',
    async run(store) {
      await store.prepare?.()
      const version = await store.put('n', 'k', ONE, { expected: 'absent', due: INSTANT })
      await Promise.all([store.prepare?.(), store.prepare?.()])
      checkSame(await store.get('n', 'k'), { value: ONE, version }, 'what was stored is there')
      check((await store.due('n', INSTANT, 1)).length === 1, 'and due as it was')
    },
  },
  {
    name: 'a wrong argument is named',
    async run(store) {
      const put = (namespace: string, key: string, value = EMPTY, due?: number): Promise<unknown> =>
        store.put(namespace, key, value, { expected: 'absent', ...(due === undefined ? {} : { due }) })
      for (const namespace of ['', '\ud800', 'x\udfff', 'é'.repeat(128) + 'x']) {
        await expectCode(put(namespace, 'k'), 'invalid_argument', 'namespace')
        await expectCode(store.get(namespace, 'k'), 'invalid_argument', 'namespace')
        await expectCode(store.delete(namespace, 'k', { expected: '1' }), 'invalid_argument', 'namespace')
        await expectCode(store.due(namespace, 1, 1), 'invalid_argument', 'namespace')
        await expectCode(store.scan(namespace, '', { limit: 1 }), 'invalid_argument', 'namespace')
      }
      for (const key of ['', '\udc00', 'é'.repeat(256) + 'x']) {
        await expectCode(put('n', key), 'invalid_argument', 'key')
        await expectCode(store.get('n', key), 'invalid_argument', 'key')
        await expectCode(store.delete('n', key, { expected: '1' }), 'invalid_argument', 'key')
      }
      await expectCode(put('n', 'k', new Uint8Array(2 ** 20 + 1)), 'invalid_argument', 'value')
      await expectCode(store.put('n', 'k', EMPTY, { expected: '' }), 'invalid_argument', 'expected')
      for (const instant of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        await expectCode(put('n', 'k', EMPTY, instant), 'invalid_argument', 'due')
        await expectCode(store.due('n', instant, 1), 'invalid_argument', 'before')
        await expectCode(store.due('n', 1, 1, { due: instant, key: 'k' }), 'invalid_argument', 'after')
      }
      for (const limit of [0, -1, 1.5, 10_001, Number.NaN]) {
        await expectCode(store.due('n', 1, limit), 'invalid_argument', 'limit')
        await expectCode(store.scan('n', '', { limit }), 'invalid_argument', 'limit')
      }
      for (const text of ['\ud800', 'x'.repeat(513)]) {
        await expectCode(store.scan('n', text, { limit: 1 }), 'invalid_argument', 'prefix')
        await expectCode(store.scan('n', '', { after: text, limit: 1 }), 'invalid_argument', 'after')
        await expectCode(store.due('n', 1, 1, { due: 0, key: text }), 'invalid_argument', 'after')
      }
      checkSame(await store.scan('n', '', { limit: 1 }), [], 'nothing was stored')
    },
  },
]
