/** Once, by an operator: root key file, vault, indexes. Again, it makes what is missing. */

import { initVault, StrongroomError } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'

import { readConfiguration } from './configuration.ts'
import { program } from './program.ts'
import { connect, openStore, vaultOptions } from './store.ts'

await program(async () => {
  const configuration = readConfiguration()
  const { ROOT_KEY_FILE: file, passphrase } = configuration
  await unlessThere(createLocalKeyFile({ file, passphrase, region: 'eu' }))
  const options = await vaultOptions(connect(configuration), configuration)
  await unlessThere(initVault(options))
  await options.close?.()
  const store = await openStore(configuration)
  await store.makeIndexes()
  await store.vault.close()
  console.log(`ready; keep a copy of ${file}, and not with those of the databases`)
})

async function unlessThere(making: Promise<void>): Promise<void> {
  try {
    await making
  } catch (error) {
    if (!(error instanceof StrongroomError && error.code === 'already_exists')) throw error
  }
}
