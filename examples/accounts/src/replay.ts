/** `node dist/replay.js`: after a restore of the data, before the service goes back. Removes again what is of people who were erased. */

import { readConfiguration } from './configuration.ts'
import { program } from './program.ts'
import { openStore } from './store.ts'

await program(async () => {
  const store = await openStore(readConfiguration())
  console.log(JSON.stringify(await store.erasure.replay()))
  await store.vault.close()
})
