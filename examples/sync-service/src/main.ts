/** The service. SIGTERM ends it: calls that have begun are answered, the keys are wiped. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { readConfiguration } from './configuration.ts'
import { httpServer } from './http-server.ts'
import { openStore } from './store.ts'
import { sweepOnAndOn } from './sweeping.ts'

const configuration = readConfiguration()
const store = await openStore(configuration)
// Revocations that a CRM has not confirmed, what is to be erased, and what a process that was killed has left behind.
const ending = new AbortController()
const sweeping = sweepOnAndOn(store, ending.signal)
const server = httpServer(store, configuration).listen(configuration.PORT, '127.0.0.1')
await once(server, 'listening')
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)

await once(process, 'SIGTERM')
ending.abort()
server.close()
await once(server, 'close')
await sweeping
await store.vault.close()
