// The fields of a process of its own, on whatever Node.js it was started with: prints what `fields` measured, as JSON.
import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'

import { fields } from './fields.mjs'

const stores = { keyStore: memoryKeyStore(), stateStore: memoryStateStore() }
const options = { keyProviders: { eu: memoryKeyProvider() }, defaultRegion: 'eu', ...stores, cacheBound: 3_600_000 }
await initVault(options)
const vault = await openVault(options)
await vault.tenants.create('bench')
const rows = await fields(vault)
await vault.close()
console.log(JSON.stringify({ versions: process.versions, rows }))
