// A process of a service: opens the vault that is in a folder, and uses one connection when it is told to.
import { openVault } from '@strongroom/core'
import { createCredentials } from '@strongroom/credentials'
import { withFailpoints } from '@strongroom/credentials/testing'
import { localKeyProvider } from '@strongroom/kms-local'

import { answerWith } from '../../../core/test/processes/answer-with.mjs'
import { openStores } from '../../../core/test/stores/open-stores.mjs'

let connection
let credentials
let vault
let offset = 0
let dieAt

const TASKS = {
  async open({ directory, provider, options = {} }) {
    vault = await openVault({
      keyProviders: { eu: await localKeyProvider({ file: `${directory}/root.key`, rawKey: new Uint8Array(32).fill(7) }) },
      defaultRegion: 'eu',
      clock: { now: () => Date.now() + offset, monotonic: () => performance.now() },
      ...(await openStores(directory)),
    })
    const reached = (name) => {
      if (name === dieAt) process.kill(process.pid, 'SIGKILL')
    }
    const clientSecret = () => 'our-service-secret-of-the-tests'
    credentials = createCredentials(vault, withFailpoints({ providers: { crm: { ...provider, clientSecret } }, ...options }, reached))
    connection = credentials.connection(vault.tenant('acme').subject('alice'), 'crm')
  },
  createTenant: () => vault.tenants.create('acme').then(() => undefined),
  save: (tokens) => connection.save(tokens),
  /** From now on this process's clock is so far off. */
  clock: (ms) => void (offset = ms),
  dieAt: (name) => void (dieAt = name),
  use: () => connection.use((token) => token.reveal()),
  fetch: async (url) => (await connection.fetch(url)).status,
  status: () => connection.status(),
  disconnect: async () => (await connection.disconnect()).revocation,
  shred: async () => (await vault.tenant('acme').subject('alice').shred()).kept.length,
  recreate: () => vault.tenant('acme').subject('alice').recreate({ reason: 'unspecified' }),
  sweep: () => credentials.sweep(),
  close: () => vault.close(),
}

answerWith(TASKS)
