/** By an operator: makes an organisation. Prints its access key, which is not stored and cannot be had again. */

import { randomUUID } from 'node:crypto'

import { issueAccessKey } from './access-keys.ts'
import { readConfiguration } from './configuration.ts'
import { openStore } from './store.ts'

const store = await openStore(readConfiguration())
const organisation = randomUUID()
await store.vault.tenants.create(organisation)
console.log(await issueAccessKey(store, organisation))
await store.vault.close()
