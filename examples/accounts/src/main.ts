/** The service. SIGTERM ends it: calls that have begun are answered, the keys are wiped. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { readConfiguration } from './configuration.ts'
import { httpServer } from './http-server.ts'
import { requireIndexes } from './indexes.ts'
import { program } from './program.ts'
import { openStore } from './store.ts'
import { sweepOnAndOn } from './sweeping.ts'

const LAST_CALLS_MS = 10_000

await program(async () => {
  const configuration = readConfiguration()
  const store = await openStore(configuration)
  await requireIndexes(store)
  const ending = new AbortController()
  const sweeping = sweepOnAndOn(store, ending.signal)

  const told = Promise.race(['SIGTERM', 'SIGINT'].map((signal) => once(process, signal)))
  const server = httpServer(store).listen(configuration.PORT, configuration.HOST)
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  console.log(`listening on http://${address}:${port}`)

  await told
  ending.abort()
  server.close()
  const impatience = setTimeout(() => server.closeAllConnections(), LAST_CALLS_MS)
  await once(server, 'close')
  clearTimeout(impatience)
  await sweeping
  await store.vault.close()
  console.log('ended')
})
