// Processes that share the stores of a vault in a folder, each by a clock of its own.
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { initVault, openVault, type VaultOptions } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'

import { startWorker, type Worker } from '../../../core/test/processes/worker.ts'
import { makeStores, removeStores } from '../../../core/test/stores/stores.ts'

const RAW_KEY = new Uint8Array(32).fill(7)

export interface Fleet {
  readonly directory: string
  /** A process whose clock says this, on the vault of this folder. */
  start(at: number, options?: object): Promise<Worker>
  stop(): Promise<void>
}

/** A vault in a folder with the tenant `acme`. */
export async function makeFleet(): Promise<Fleet> {
  const directory = join(tmpdir(), `strongroom-pseudonyms-${randomUUID()}`)
  await makeStores(directory)
  const { openStores } = (await import('../../../core/test/stores/open-stores.mjs' as string)) as {
    openStores(directory: string): Promise<{ close(): Promise<void> } & Pick<VaultOptions, 'keyStore' | 'stateStore'>>
  }
  await createLocalKeyFile({ file: `${directory}/root.key`, rawKey: RAW_KEY })
  const keyProviders = { eu: await localKeyProvider({ file: `${directory}/root.key`, rawKey: RAW_KEY }) }
  const first = await openStores(directory)
  await initVault({ keyProviders, defaultRegion: 'eu', ...first })
  const vault = await openVault({ keyProviders, defaultRegion: 'eu', ...first })
  await vault.tenants.create('acme')
  await vault.close()
  const started: Worker[] = []
  return {
    directory,
    async start(at, options = {}) {
      const worker = startWorker(new URL('./worker.mjs', import.meta.url))
      started.push(worker)
      await worker.run('open', { directory, at, options })
      return worker
    },
    async stop() {
      for (const worker of started) worker.stop()
      await Promise.all(started.map(({ ended }) => ended))
      await removeStores(directory)
    },
  }
}
