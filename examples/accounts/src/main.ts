/** The service. SIGTERM ends it: calls that have begun are answered, the keys are wiped. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { readConfiguration } from './configuration.ts'
import { finishDeletions } from './deletion.ts'
import { log } from './errors.ts'
import { httpServer } from './http-server.ts'
import { requireIndexes } from './indexes.ts'
import { program } from './program.ts'
import { openStore } from './store.ts'

const MINUTE_MS = 60_000
const LAST_CALLS_MS = 10_000

await program(async () => {
  const configuration = readConfiguration()
  const store = await openStore(configuration)
  await requireIndexes(store)
  // What keeps it from this keeps it from nothing else.
  const goOn = (): Promise<void> => finishDeletions(store).catch((error: unknown) => log('deletions', error))
  await goOn()
  const sweep = setInterval(() => void goOn(), MINUTE_MS)

  const told = Promise.race(['SIGTERM', 'SIGINT'].map((signal) => once(process, signal)))
  const server = httpServer(store).listen(configuration.PORT, configuration.HOST)
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  console.log(`listening on http://${address}:${port}`)

  await told
  clearInterval(sweep)
  server.close()
  const impatience = setTimeout(() => server.closeAllConnections(), LAST_CALLS_MS)
  await once(server, 'close')
  clearTimeout(impatience)
  await store.vault.close()
  console.log('ended')
})
