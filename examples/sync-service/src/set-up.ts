/** Once, by an operator: root key file and vault. */

import { initVault } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'

import { readConfiguration } from './configuration.ts'
import { connect, vaultOptions } from './store.ts'

const configuration = readConfiguration()
const { ROOT_KEY_FILE: file, passphrase } = configuration
await createLocalKeyFile({ file, passphrase, region: 'eu' })
const options = await vaultOptions(connect(configuration), configuration)
await initVault(options)
await options.close?.()
console.log(`ready; keep a copy of ${file}, and not with those of the databases`)
