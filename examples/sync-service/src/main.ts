/** The service. SIGTERM ends it: calls that have begun are answered, the keys are wiped. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { readConfiguration } from './configuration.ts'
import { described } from './errors.ts'
import { httpServer } from './http-server.ts'
import { openStore } from './store.ts'

const MINUTE = 60_000

const configuration = readConfiguration()
const store = await openStore(configuration)
// Revocations that a CRM has not confirmed, and what a process that was killed has left behind.
const sweeping = async (): Promise<void> => {
  try {
    const { failures } = await store.credentials.sweep()
    for (const failure of failures) console.error(JSON.stringify({ during: 'sweep', ...failure }))
  } catch (error) {
    console.error(JSON.stringify({ during: 'sweep', error: described(error) }))
  }
}
const sweep = setInterval(() => void sweeping(), MINUTE)
const server = httpServer(store, configuration).listen(configuration.PORT, '127.0.0.1')
await once(server, 'listening')
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)

await once(process, 'SIGTERM')
clearInterval(sweep)
server.close()
await once(server, 'close')
await store.vault.close()
