/** Once, by an operator: root key file, vault, and the tenant whose keys the pseudonyms have. */

import { initVault, openVault } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'

import { readConfiguration } from './configuration.ts'
import { connect, TENANT, vaultOptions } from './store.ts'

const configuration = readConfiguration()
const { ROOT_KEY_FILE: file, passphrase } = configuration
await createLocalKeyFile({ file, passphrase, region: 'eu' })
const making = await vaultOptions(connect(configuration), configuration)
await initVault(making)
await making.close?.()
const vault = await openVault(await vaultOptions(connect(configuration), configuration))
await vault.tenants.create(TENANT)
await vault.close()
console.log(`ready; keep a copy of ${file}, and not with those of the databases`)
