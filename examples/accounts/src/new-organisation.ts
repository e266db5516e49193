/** `node dist/new-organisation.js NAME`: an operator makes an organisation, and gets the invitation of its first owner. */

import { randomUUID } from 'node:crypto'

import { readConfiguration } from './configuration.ts'
import { StartError } from './errors.ts'
import { program } from './program.ts'
import { invite } from './sign-up.ts'
import { openStore } from './store.ts'

await program(async () => {
  const name = process.argv[2]?.trim()
  if (!name) throw new StartError('usage: node dist/new-organisation.js NAME')
  const store = await openStore(readConfiguration())
  const _id = randomUUID()
  await store.vault.tenants.create(_id)
  await store.organisations.insertOne({ _id, name })
  console.log(await invite(store, _id, 'owner'))
  await store.vault.close()
})
