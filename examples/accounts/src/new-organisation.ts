/** `node dist/new-organisation.js NAME`: an operator makes an organisation, and gets the invitation of its first owner. */

import { randomUUID } from 'node:crypto'

import { readArguments, readConfiguration } from './configuration.ts'
import { StartError } from './errors.ts'
import { program } from './program.ts'
import { invite } from './sign-up.ts'
import { openStore } from './store.ts'

await program(async () => {
  const [name] = readArguments().given.map((text) => text.trim())
  if (!name) throw new StartError('usage: node dist/new-organisation.js NAME [--mongoose]')
  const store = await openStore(readConfiguration())
  const _id = randomUUID()
  await store.vault.tenants.create(_id)
  await store.organisations.add({ _id, name })
  console.log(await invite(store, _id, 'owner'))
  await store.vault.close()
})
