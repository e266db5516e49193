// Forked processes of a service, and the authorisation server that they share.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { initVault } from '@strongroom/core'
import type { CredentialsOptions, Provider } from '@strongroom/credentials'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'

import { startWorker, type Worker } from '../../../core/test/processes/worker.ts'
import { makeStores } from '../../../core/test/stores/stores.ts'

const RAW_KEY = new Uint8Array(32).fill(7)
const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export interface AuthorizationServer {
  readonly issuer: string
  grant(): Promise<Record<string, unknown>>
  count(): Promise<Record<'refreshes' | 'refused' | 'revocations' | 'familiesEnded' | 'clientCredentials' | 'apiCalls', number>>
  isLive(token: string): Promise<boolean>
  stop(): void
}

export async function startAuthorizationServer(): Promise<AuthorizationServer> {
  const child: ChildProcess = fork(fileOf('../servers/authorization-server.mjs'), {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const { issuer } = await new Promise<{ issuer: string }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { issuer: string }))
    child.once('exit', () => reject(new Error('the authorisation server did not start')))
  })
  const get = async (path: string): Promise<never> => (await (await fetch(`${issuer}${path}`)).json()) as never
  return {
    issuer,
    grant: () => get('/test/grant'),
    count: () => get('/test/count'),
    isLive: async (token) => (await fetch(`${issuer}/api/contacts`, { headers: { authorization: `Bearer ${token}` } })).ok,
    stop: () => void child.kill(),
  }
}

export interface Service {
  readonly directory: string
  readonly workers: readonly Worker[]
  /** One more process; with other options, or as it takes the provider to be. */
  another(changes?: { readonly provider?: Partial<Provider>; readonly options?: Partial<CredentialsOptions> }): Promise<Worker>
  remove(): Promise<void>
}

/** A vault in a folder with the tenant `acme`, and so many processes that have it open. */
export async function startService(
  processes: number,
  provider: Omit<Provider, 'clientSecret'>,
  options: Partial<CredentialsOptions> = {},
): Promise<Service> {
  const directory = join(tmpdir(), `strongroom-credentials-${randomUUID()}`)
  await makeStores(directory)
  const { openStores } = (await import('../../../core/test/stores/open-stores.mjs' as string)) as {
    openStores(directory: string): Promise<{ close(): Promise<void> } & Pick<Parameters<typeof initVault>[0], 'keyStore' | 'stateStore'>>
  }
  await createLocalKeyFile({ file: `${directory}/root.key`, rawKey: RAW_KEY })
  const { close, ...stores } = await openStores(directory)
  await initVault({
    keyProviders: { eu: await localKeyProvider({ file: `${directory}/root.key`, rawKey: RAW_KEY }) },
    defaultRegion: 'eu',
    ...stores,
  })
  await close()
  const started: Worker[] = []
  const another: Service['another'] = async (changes = {}) => {
    const worker = startWorker(new URL('./worker.mjs', import.meta.url))
    started.push(worker)
    const open = { directory, provider: { ...provider, ...changes.provider }, options: { ...options, ...changes.options } }
    await worker.run('open', open)
    return worker
  }
  const [first] = [await another()]
  await first.run('createTenant')
  const workers = [first, ...(await Promise.all(Array.from({ length: processes - 1 }, () => another())))]
  return {
    directory,
    workers,
    another,
    async remove() {
      for (const worker of started) worker.stop()
      await Promise.all(started.map((worker) => worker.ended))
      await rm(directory, { recursive: true, force: true })
    },
  }
}
