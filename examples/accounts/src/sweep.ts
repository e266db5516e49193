/** `node dist/sweep.js`: does what is due, and prints what that was. The service does the same all the time; this is for cron beside it. */

import { readConfiguration } from './configuration.ts'
import { program } from './program.ts'
import { openStore } from './store.ts'
import { sweepOnce } from './sweeping.ts'

await program(async () => {
  const store = await openStore(readConfiguration())
  console.log(JSON.stringify(await sweepOnce(store)))
  await store.vault.close()
})
