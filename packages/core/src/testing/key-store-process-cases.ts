/** Cases of the key store contract that need several processes. */

import { EMPTY, hex } from '../format/bytes.ts'
import type { NodeRecord, RegionRecord } from '../format/records.ts'
import { check, checkSame, type ContractCase } from './contract.ts'
import { type ContractProcesses, type ContractWorker, withProcesses } from './contract-processes.ts'
import { keyOf, nodeRecord, pattern, reference, regionRecord } from './contract-records.ts'

const PROCESSES = 20
const INCREMENTS = 60

/** The cases, on the storage that the worker's processes share. */
export function keyStoreProcessCases(worker: ContractWorker, rounds: number): readonly ContractCase[] {
  return [
    {
      name: `key store: ${PROCESSES} processes × ${INCREMENTS} compare-and-set increments × ${rounds} rounds give the exact total`,
      run: () =>
        withProcesses(worker, PROCESSES, async (processes) => {
          for (let round = 0; round < rounds; round++) await countOnce(processes, `counted-${round}`)
        }),
    },
    {
      name: 'key store: every process reads what any other has written',
      run: () => withProcesses(worker, 3, readEachOther),
    },
    {
      name: 'key store: paging neither loses nor repeats a record while another process inserts',
      run: () => withProcesses(worker, 2, pageWhileInserting),
    },
  ]
}

async function countOnce(processes: ContractProcesses, region: string): Promise<void> {
  const all = Array.from({ length: processes.count }, (_, i) => processes.run(i, { do: 'count-record', region, times: INCREMENTS }))
  const won = ((await Promise.all(all)) as number[][]).flat().toSorted((a, b) => a - b)
  const record = (await processes.run(0, { do: 'get-record', key: { type: 'region', region } })) as RegionRecord
  const total = processes.count * INCREMENTS
  checkSame(
    won,
    Array.from({ length: total }, (_, i) => i + 1),
    'each revision is won by exactly one writer',
  )
  check(record.revision === total && record.current === total, `the total is ${total}`)
}

async function readEachOther(processes: ContractProcesses): Promise<void> {
  const region = 'read-by-others'
  for (let revision = 1; revision <= 60; revision++) {
    const record = regionRecord({ region, revision, current: revision })
    await processes.run(revision % 3, { do: 'put-records', records: [record] })
    const readers = [0, 1, 2].map((i) => processes.run(i, { do: 'get-record', key: keyOf(record) }))
    for (const read of await Promise.all(readers)) checkSame(read, record, `revision ${revision} is read by every process`)
  }
}

async function pageWhileInserting(processes: ContractProcesses): Promise<void> {
  const tenantRef = reference(88)
  const node = (...start: number[]): NodeRecord =>
    nodeRecord({ ref: reference(88, ...start), tenantRef, parentRef: EMPTY, label: pattern(500) })
  const before = Array.from({ length: 120 }, (_, i) => node(i * 2, 1))
  await processes.run(0, { do: 'put-records', records: before })
  const inserting = processes.run(1, { do: 'put-records', records: Array.from({ length: 120 }, (_, i) => node(255 - i * 2, 2)) })
  const seen: string[] = []
  for (let after: { after?: Uint8Array } = {}; ;) {
    const page = (await processes.run(0, { do: 'scan', query: { type: 'node', tenantRef, limit: 5, ...after } })) as NodeRecord[]
    if (page.length === 0) break
    seen.push(...page.map(({ ref }) => hex(ref)))
    after = { after: (page.at(-1) as NodeRecord).ref }
  }
  await inserting
  checkSame(seen, [...new Set(seen)].toSorted(), 'every record is listed at most once, in byte order')
  check(
    before.every(({ ref }) => seen.includes(hex(ref))),
    'no record that was there before is lost',
  )
}
