// Processes that share the stores of a vault in a folder, each by a clock of its own.
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { days, hours, initVault, openVault, type VaultOptions } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'

import { startWorker, type Worker } from '../../../core/test/processes/worker.ts'
import { makeStores, removeStores } from '../../../core/test/stores/stores.ts'

export { resultOf, type Worker } from '../../../core/test/processes/worker.ts'

const RAW_KEY = new Uint8Array(32).fill(7)

export const START: number = Date.UTC(2030, 0, 1)
export const GRACE: number = days(30)

export interface Fleet {
  readonly directory: string
  /** A process whose clock says this, on the vault of this folder. */
  start(at: number): Promise<Worker>
  stop(): Promise<void>
}

/** A vault in a folder with the tenant `acme`. */
export async function makeFleet(): Promise<Fleet> {
  const directory = join(tmpdir(), `strongroom-erasure-${randomUUID()}`)
  await makeStores(directory)
  const { openStores } = (await import('../../../core/test/stores/open-stores.mjs' as string)) as {
    openStores(directory: string): Promise<{ close(): Promise<void> } & Pick<VaultOptions, 'keyStore' | 'stateStore'>>
  }
  await createLocalKeyFile({ file: `${directory}/root.key`, rawKey: RAW_KEY })
  const keyProviders = { eu: await localKeyProvider({ file: `${directory}/root.key`, rawKey: RAW_KEY }) }
  const stores = await openStores(directory)
  await initVault({ keyProviders, defaultRegion: 'eu', cacheBound: 100, ...stores })
  const vault = await openVault({ keyProviders, defaultRegion: 'eu', ...stores })
  await vault.tenants.create('acme')
  await vault.close()
  const started: Worker[] = []
  return {
    directory,
    async start(at) {
      const worker = startWorker(new URL('./worker.mjs', import.meta.url))
      started.push(worker)
      await worker.run('open', { directory, at })
      return worker
    },
    async stop() {
      for (const worker of started) worker.stop()
      await Promise.all(started.map(({ ended }) => ended))
      await removeStores(directory)
    },
  }
}

/** Sweeps around an instant as cron would: until what was due by then is done. */
export async function sweepAround(worker: Worker, at: number): Promise<void> {
  for (const hour of [0, 1, 2, 3]) {
    await worker.run('clock', at + hours(hour))
    await worker.run('sweep')
  }
}
