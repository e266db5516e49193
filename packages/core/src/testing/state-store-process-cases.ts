/** Cases of the state store contract that need several processes. */

import { checkSame, type ContractCase } from './contract.ts'
import { type ContractProcesses, type ContractWorker, withProcesses } from './contract-processes.ts'
import { pattern } from './contract-records.ts'

const PROCESSES = 20
const INCREMENTS = 60

/** The cases, on the storage that the worker's processes share. */
export function stateStoreProcessCases(worker: ContractWorker, rounds: number): readonly ContractCase[] {
  return [
    {
      name: `state store: ${PROCESSES} processes × ${INCREMENTS} compare-and-set increments × ${rounds} rounds give the exact total`,
      run: () =>
        withProcesses(worker, PROCESSES, async (processes) => {
          for (let round = 0; round < rounds; round++) await countOnce(processes, `counted-${round}`)
        }),
    },
    {
      name: 'state store: every process reads what any other has written',
      run: () => withProcesses(worker, 3, readEachOther),
    },
  ]
}

async function countOnce(processes: ContractProcesses, key: string): Promise<void> {
  const namespace = 'contract-count'
  const all = Array.from({ length: processes.count }, (_, i) => processes.run(i, { do: 'count-entry', namespace, key, times: INCREMENTS }))
  const won = ((await Promise.all(all)) as string[][]).flat()
  const entry = (await processes.run(0, { do: 'get-entry', namespace, key })) as { readonly value: Uint8Array }
  const total = processes.count * INCREMENTS
  checkSame(new Set(won).size, total, 'no two writes get the same version')
  checkSame(new DataView(entry.value.buffer, entry.value.byteOffset).getUint32(0), total, `the total is ${total}`)
}

async function readEachOther(processes: ContractProcesses): Promise<void> {
  const place = { namespace: 'contract-read', key: 'read-by-others' }
  let expected = 'absent'
  for (let i = 0; i < 60; i++) {
    const value = pattern(100, i)
    expected = (await processes.run(i % 3, { do: 'put-entry', ...place, value, expected })) as string
    const readers = [0, 1, 2].map((reader) => processes.run(reader, { do: 'get-entry', ...place }))
    for (const read of await Promise.all(readers)) checkSame(read, { value, version: expected }, `write ${i} is read by every process`)
  }
}
