/** The service. SIGTERM ends it: requests that have begun are answered, the keys are wiped. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { StrongroomError } from '@strongroom/core'

import { readConfiguration } from './configuration.ts'
import { serverOf } from './server.ts'
import { openStore } from './store.ts'
import { sweep } from './sweeping.ts'

const HOUR = 3_600_000

const configuration = readConfiguration()
const store = await openStore(configuration)
const sweeping = async (): Promise<void> => {
  try {
    console.log(JSON.stringify({ swept: await sweep(store) }))
  } catch (error) {
    console.error(JSON.stringify({ during: 'sweep', error: error instanceof StrongroomError ? error.code : 'internal' }))
  }
}
await sweeping()
const timer = setInterval(() => void sweeping(), HOUR)
const server = serverOf(store, configuration).listen(configuration.PORT, '127.0.0.1')
await once(server, 'listening')
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)

await once(process, 'SIGTERM')
clearInterval(timer)
server.close()
server.closeIdleConnections()
await once(server, 'close')
await store.vault.close()
