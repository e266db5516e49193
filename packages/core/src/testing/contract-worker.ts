/** The program that `contract-processes` forks: opens the stores under test and answers tasks until its parent lets go. */

import { hasCode } from '../errors.ts'
import type { RegionRecord } from '../format/records.ts'
import type { KeyStore } from '../keys/key-store.ts'
import type { StateStore } from '../keys/state-store.ts'
import type { WorkerAnswer, WorkerStores, WorkerTask } from './contract-processes.ts'

const { module, argument } = JSON.parse(process.argv[2] as string) as { module: string; argument: unknown }
const { openStores } = (await import(module)) as { openStores(argument: unknown): Promise<WorkerStores> }
const stores = await openStores(argument)

process.on('disconnect', () => void stores.close())
process.on('message', ({ id, task }: { id: number; task: WorkerTask }) => {
  perform(task).then(
    (result) => answer({ id, result }),
    (error: unknown) => answer({ id, error }),
  )
})

function answer(message: WorkerAnswer): void {
  process.send?.(message)
}

async function perform(task: WorkerTask): Promise<unknown> {
  const { keyStore, stateStore } = stores
  switch (task.do) {
    case 'get-record':
      return (await keyStore.get([task.key]))[0]
    case 'put-records':
      for (const record of task.records) await keyStore.put(record)
      return undefined
    case 'scan':
      return keyStore.scan(task.query)
    case 'count-record':
      return repeat(task.times, () => incrementRecord(keyStore, task.region))
    case 'get-entry':
      return stateStore.get(task.namespace, task.key)
    case 'put-entry':
      return stateStore.put(task.namespace, task.key, task.value, { expected: task.expected })
    case 'count-entry':
      return repeat(task.times, () => incrementEntry(stateStore, task.namespace, task.key))
  }
}

// Collects what each successful write got, so that the parent can see whether two writers won the same one.
async function repeat<T>(times: number, write: () => Promise<T>): Promise<T[]> {
  const won: T[] = []
  while (won.length < times) {
    try {
      won.push(await write())
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error
    }
  }
  return won
}

async function incrementRecord(keyStore: KeyStore, region: string): Promise<number> {
  const [stored] = (await keyStore.get([{ type: 'region', region }])) as readonly (RegionRecord | undefined)[]
  const versions = [
    { number: 1, id: new Uint8Array(16), state: 'live' as const, announced: { n: 1, hash: new Uint8Array(32), instant: 0 } },
  ]
  const before = stored ?? { type: 'region' as const, region, revision: 0, versions, current: 0, closing: 0 }
  await keyStore.put({ ...before, revision: before.revision + 1, current: before.current + 1 })
  return before.revision + 1
}

async function incrementEntry(stateStore: StateStore, namespace: string, key: string): Promise<string> {
  const stored = await stateStore.get(namespace, key)
  const count = stored === undefined ? 0 : new DataView(stored.value.buffer, stored.value.byteOffset).getUint32(0)
  const value = new Uint8Array(4)
  new DataView(value.buffer).setUint32(0, count + 1)
  return stateStore.put(namespace, key, value, { expected: stored?.version ?? 'absent' })
}
