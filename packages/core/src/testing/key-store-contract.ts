/** The contract of `KeyStore`, as cases that every implementation runs: ours, a third party's, the one in memory. */

import { EMPTY, hex } from '../format/bytes.ts'
import type { KeyStoreRecord, NodeRecord, WrappingKeyRecord } from '../format/records.ts'
import type { KeyStore, KeyStoreQuery } from '../keys/key-store.ts'
import { check, checkSame, type ContractCase, expectCode } from './contract.ts'
import type { ContractWorker } from './contract-processes.ts'
import { everyRecord, keyOf, nodeRecord, pattern, reference, regionRecord, vaultRecord, wrappingKeyRecord } from './contract-records.ts'
import { keyStoreProcessCases } from './key-store-process-cases.ts'

/** What the key store contract needs of an implementation. */
export interface KeyStoreContractOptions {
  /** Opens a store that holds nothing yet. */
  open(): Promise<{ readonly store: KeyStore; close(): Promise<void> }>
  /** With it, the cases that need several processes are included. */
  readonly worker?: ContractWorker
  /** Rounds of the counting case (20 processes, 60 increments each). 20 unless given. */
  readonly rounds?: number
}

/**
 * Lists the cases of the key store contract.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { keyStoreContract } from '@strongroom/core/testing'
 * import { openMyStore } from './my-store.js'
 *
 * const worker = { module: new URL('./open-my-stores.mjs', import.meta.url), argument: { database: 'contract' } }
 * for (const { name, run } of keyStoreContract({ open: openMyStore, worker })) test(name, run)
 * ```
 */
export function keyStoreContract(options: KeyStoreContractOptions): readonly ContractCase[] {
  const here = CASES.map(({ name, run }) => ({
    name: `key store: ${name}`,
    async run() {
      const { store, close } = await options.open()
      try {
        await run(store)
      } finally {
        await close()
      }
    },
  }))
  return options.worker === undefined ? here : [...here, ...keyStoreProcessCases(options.worker, options.rounds ?? 20)]
}

const CASES: readonly { readonly name: string; run(store: KeyStore): Promise<void> }[] = [
  {
    name: 'get answers in the order asked for, with undefined where there is nothing',
    async run(store) {
      const records = [nodeRecord(), wrappingKeyRecord(), regionRecord(), vaultRecord()]
      checkSame(await store.get(records.map(keyOf)), [undefined, undefined, undefined, undefined], 'an empty store holds nothing')
      for (const record of records) await store.put(record)
      const asked = [...records.toReversed(), regionRecord({ region: 'elsewhere' }), ...records]
      const found = [...records.toReversed(), undefined, ...records]
      checkSame(await store.get(asked.map(keyOf)), found, 'answers are in the order of the keys')
      checkSame(await store.get([]), [], 'nothing asked, nothing answered')
      const many = await store.get(Array.from({ length: 10_000 }, () => keyOf(nodeRecord())))
      check(many.length === 10_000 && many.every((record) => record !== undefined), '10,000 keys are read at once')
    },
  },
  {
    name: 'records come back exactly: every type, every field, optional ones present and absent',
    async run(store) {
      let vaultRevision = 0
      for (const record of everyRecord()) {
        const written = record.type === 'vault' ? { ...record, revision: ++vaultRevision } : record
        await store.put(written)
        checkSame(await only(store, written), written, `a ${record.type} record is the same after it was stored`)
      }
      const unlabelled = nodeRecord({ ref: reference(77), label: undefined })
      await store.put(unlabelled)
      check(((await only(store, unlabelled)) as NodeRecord).label === undefined, 'a label that is undefined stays so')
    },
  },
  {
    name: 'byte fields of every length and value, and numbers up to 2^53 − 1, come back exactly',
    async run(store) {
      const wraps = [0, 1, 15, 16, 17, 256, 100_000].map((length) => ({
        rootVersion: { number: 2 ** 32 - 1, id: pattern(length + 1, length) },
        wrap: pattern(length, length),
      }))
      const sizes = wrappingKeyRecord({ wraps, created: Number.MAX_SAFE_INTEGER })
      await store.put(sizes)
      checkSame(await only(store, sizes), sizes, 'byte fields of 0, 1 and 100,000 bytes')
      const labels = [EMPTY, Uint8Array.of(0), Uint8Array.of(255), pattern(2 ** 20)]
      for (const [i, label] of labels.entries()) {
        const node = nodeRecord({ ref: reference(i), label })
        await store.put(node)
        checkSame(await only(store, node), node, `a label of ${label.length} bytes`)
      }
      for (const [i, number] of [0, 1, 2 ** 31, 2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER].entries()) {
        const vault = vaultRecord({ revision: i + 1, created: number, applied: number, head: { n: number, hash: pattern(32) } })
        await store.put(vault)
        checkSame(await only(store, vault), vault, `the number ${number}`)
      }
    },
  },
  {
    name: 'put succeeds on the revision before and no other, and a conflict changes nothing',
    async run(store) {
      for (const first of [nodeRecord(), wrappingKeyRecord(), regionRecord(), vaultRecord()]) {
        await expectCode(store.put({ ...first, revision: 2 }), 'conflict')
        checkSame(await only(store, first), undefined, `revision 2 of a ${first.type} does not make the record`)
        await store.put(first)
        for (const revision of [1, 3, 4]) await expectCode(store.put(changed(first, revision)), 'conflict')
        checkSame(await only(store, first), first, `a ${first.type} is unchanged by a conflict`)
        await store.put(changed(first, 2))
        checkSame(await only(store, first), changed(first, 2), `revision 2 replaces revision 1 of a ${first.type}`)
        for (const revision of [1, 2, 4]) await expectCode(store.put({ ...first, revision }), 'conflict')
        checkSame(await only(store, first), changed(first, 2), `a ${first.type} is unchanged by a late conflict`)
      }
      checkSame(await store.scan({ type: 'node', tenantRef: reference(3), limit: 10 }), [], 'a record that moved is listed there no more')
      checkSame(await store.scan({ type: 'node', tenantRef: reference(200), limit: 10 }), [changed(nodeRecord(), 2)], 'but where it is')
      checkSame(await store.scan({ type: 'node', parentRef: reference(2), limit: 10 }), [], 'nor under its old parent')
    },
  },
  {
    name: 'of many writers at once one succeeds, and the conflicts of some harm no others',
    async run(store) {
      await store.put(nodeRecord())
      const attempts = Array.from({ length: 100 }, (_, i) =>
        i % 2 === 0 ? nodeRecord({ revision: 2, label: pattern(4, i) }) : nodeRecord({ ref: reference(9, i), label: pattern(4, i) }),
      )
      const outcomes = await Promise.allSettled(attempts.map((record) => store.put(record)))
      const stored = attempts.filter((_, i) => outcomes[i]?.status === 'fulfilled')
      check(stored.filter((record) => record.revision === 2).length === 1, 'exactly one of 50 writers of revision 2 succeeds')
      check(stored.length === 51, 'writers of other records all succeed')
      checkSame(await store.get(stored.map(keyOf)), stored, 'what succeeded is stored')
      for (const outcome of outcomes) if (outcome.status === 'rejected') await expectCode(Promise.reject(outcome.reason), 'conflict')
    },
  },
  {
    name: 'scan lists by type, tenant and parent in the byte order of primary keys',
    async run(store) {
      const [nodes, wrappingKeys] = forest()
      for (const record of [...nodes, ...wrappingKeys, regionRecord(), vaultRecord()]) await store.put(record)
      const tenantRefs = [undefined, reference(1), reference(1, 1), reference(255), reference(7)]
      const parentRefs = [undefined, EMPTY, reference(1), reference(2), reference(7)]
      for (const tenantRef of tenantRefs) {
        for (const parentRef of parentRefs) await checkPages(store, { type: 'node', ...some({ tenantRef, parentRef }) }, nodes)
        await checkPages(store, { type: 'wrapping-key', ...some({ tenantRef }) }, wrappingKeys)
      }
    },
  },
  {
    name: 'paging neither loses nor repeats a record while another writer inserts',
    async run(store) {
      const before = Array.from({ length: 40 }, (_, i) => nodeRecord({ ref: reference(i * 4, 1) }))
      for (const node of before) await store.put(node)
      const seen: string[] = []
      for (let after: Uint8Array | undefined, i = 0; ; i++) {
        const page = await store.scan({ type: 'node', tenantRef: reference(3), limit: 3, ...some({ after }) })
        if (page.length === 0) break
        seen.push(...page.map(primaryOf))
        after = (page.at(-1) as NodeRecord).ref
        await store.put(nodeRecord({ ref: reference(i * 12 + 1, 2) }))
        await store.put(nodeRecord({ ref: reference(250 - i, 3) }))
      }
      check(new Set(seen).size === seen.length, 'no record is listed twice')
      checkSame(seen, seen.toSorted(), 'pages continue in byte order')
      check(
        before.every((node) => seen.includes(hex(node.ref))),
        'no record that was there before is lost',
      )
    },
  },
  {
    name: 'records are copies on the way in and on the way out',
    async run(store) {
      const kept = nodeRecord({ label: pattern(8) })
      const given = structuredClone(kept)
      await store.put(given)
      ;(given.label as Uint8Array).fill(0)
      given.ref.fill(0)
      const [read] = (await store.get([keyOf(kept)])) as readonly [NodeRecord]
      checkSame(read, kept, 'changing what was put does not change what is stored')
      ;(read.label as Uint8Array).fill(0)
      read.versions[0]?.commitment.fill(0)
      const [listed] = (await store.scan({ type: 'node', limit: 1 })) as readonly [NodeRecord]
      checkSame(listed, kept, 'changing what was read does not change what is stored')
      listed.ref.fill(0)
      checkSame(await only(store, kept), kept, 'changing what was listed does not change what is stored')
    },
  },
  {
    name: 'prepare, where there is one, may be called again and keeps what is stored',
    async run(store) {
      await store.prepare?.()
      await store.put(nodeRecord())
      await Promise.all([store.prepare?.(), store.prepare?.()])
      checkSame(await only(store, nodeRecord()), nodeRecord(), 'what was stored is there')
      await expectCode(store.put(nodeRecord()), 'conflict')
    },
  },
  {
    name: 'a wrong argument is named',
    async run(store) {
      for (const limit of [0, -1, 1.5, 10_001, Number.NaN]) {
        await expectCode(store.scan({ type: 'node', limit }), 'invalid_argument', 'limit')
      }
      for (const revision of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
        await expectCode(store.put(nodeRecord({ revision })), 'invalid_argument', 'revision')
      }
      const short = new Uint8Array(15)
      await expectCode(store.get(Array.from({ length: 10_001 }, () => ({ type: 'vault' as const }))), 'invalid_argument', 'keys')
      await expectCode(store.get([{ type: 'node', ref: short }]), 'invalid_argument', 'ref')
      await expectCode(store.get([{ type: 'wrapping-key', id: EMPTY }]), 'invalid_argument', 'id')
      for (const region of ['', '\ud800', 'x'.repeat(257)])
        await expectCode(store.put(regionRecord({ region })), 'invalid_argument', 'region')
      await expectCode(store.put(nodeRecord({ ref: EMPTY })), 'invalid_argument', 'ref')
      await expectCode(store.scan({ type: 'node', limit: 1, after: short }), 'invalid_argument', 'after')
      await expectCode(store.scan({ type: 'node', limit: 1, tenantRef: EMPTY }), 'invalid_argument', 'tenantRef')
      await expectCode(store.scan({ type: 'node', limit: 1, parentRef: short }), 'invalid_argument', 'parentRef')
      await expectCode(store.scan({ type: 'wrapping-key', limit: 1, parentRef: reference(1) }), 'invalid_argument', 'parentRef')
      checkSame(await store.scan({ type: 'node', limit: 1 }), [], 'nothing was stored')
    },
  },
]

type Listed = NodeRecord | WrappingKeyRecord

// References that differ early, late, and only above 0x7f; tenants at the top, children of two parents in three tenants.
function forest(): readonly [readonly NodeRecord[], readonly WrappingKeyRecord[]] {
  const tenantRefs = [reference(1), reference(1, 1), reference(255)]
  const nodes = tenantRefs.map((ref) => nodeRecord({ ref, tenantRef: ref, parentRef: EMPTY, kind: 1 }))
  for (let i = 0; i < 60; i++) {
    const tenantRef = tenantRefs[i % 3] as Uint8Array
    nodes.push(nodeRecord({ ref: reference((i * 97) % 251, i), tenantRef, parentRef: reference((i % 2) + 1) }))
  }
  return [
    nodes,
    Array.from({ length: 20 }, (_, i) => wrappingKeyRecord({ id: reference(i * 101, i), tenantRef: tenantRefs[i % 3] as Uint8Array })),
  ]
}

async function checkPages(store: KeyStore, query: Omit<KeyStoreQuery, 'limit'>, all: readonly Listed[]): Promise<void> {
  const expected = all
    .filter((record) => query.tenantRef === undefined || hex(record.tenantRef) === hex(query.tenantRef))
    .filter((record) => query.parentRef === undefined || (record.type === 'node' && hex(record.parentRef) === hex(query.parentRef)))
    .toSorted((a, b) => (primaryOf(a) < primaryOf(b) ? -1 : 1))
  const what = `${query.type} of tenant ${query.tenantRef?.at(0)} under parent ${query.parentRef?.at(0)}`
  checkSame(await store.scan({ ...query, limit: 10_000 }), expected, `${what}: all of them in byte order`)
  for (const limit of [1, 7]) {
    const seen: Listed[] = []
    for (let page: readonly Listed[] = []; seen.length <= expected.length; seen.push(...page)) {
      const last = seen.at(-1)
      page = await store.scan({ ...query, limit, ...some({ after: last && Uint8Array.from(Buffer.from(primaryOf(last), 'hex')) }) })
      check(page.length <= limit, `${what}: a page has at most ${limit}`)
      if (page.length === 0) break
    }
    checkSame(seen, expected, `${what}: pages of ${limit}`)
  }
}

function primaryOf(record: Listed): string {
  return hex(record.type === 'node' ? record.ref : record.id)
}

async function only(store: KeyStore, record: KeyStoreRecord): Promise<KeyStoreRecord | undefined> {
  return (await store.get([keyOf(record)]))[0]
}

// The same record at another revision, in another tenant and under another parent.
function changed(record: KeyStoreRecord, revision: number): KeyStoreRecord {
  if (record.type === 'node') return { ...record, revision, tenantRef: reference(200), parentRef: reference(201) }
  return record.type === 'wrapping-key' ? { ...record, revision, tenantRef: reference(200) } : { ...record, revision }
}

// The fields that are there, for what takes them as optional.
function some(
  fields: Partial<Record<'tenantRef' | 'parentRef' | 'after', Uint8Array | undefined>>,
): Partial<Record<keyof typeof fields, Uint8Array>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
