// A vault on this machine as rotate.mjs expects it, with one person shredded: for the demonstration and the test.
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { initVault, openVault } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'

/**
 * @param folder - an empty one
 * @returns `environment`: of rotate.mjs. `withVault`: opens the vault, and closes it again
 */
export async function makeVault(folder) {
  const [home, keys, roots, credentials] = ['vault', 'key-backups', 'root-backups', 'credentials'].map((name) => {
    mkdirSync(join(folder, name), { mode: 0o700 })
    return join(folder, name)
  })
  const passphrase = randomBytes(16).toString('base64url')
  writeFileSync(join(credentials, 'passphrase'), `${passphrase}\n`, { mode: 0o600 })
  const file = join(home, 'root.key')
  await createLocalKeyFile({ file, passphrase, region: 'eu' })
  const provider = await localKeyProvider({ file, passphrase })
  const options = () => ({ keyProviders: { eu: provider }, defaultRegion: 'eu', ...localStores({ directory: join(home, 'stores') }) })

  const withVault = async (work) => {
    const vault = await openVault(options())
    try {
      return await work(vault)
    } finally {
      await vault.close()
    }
  }
  const first = options()
  await initVault({ ...first, cacheBound: 1000 })
  await first.close()
  await withVault(async (vault) => {
    await vault.tenants.create('acme')
    const ada = vault.tenant('acme').subject('ada')
    // Suspending makes her a key, with nothing encrypted under it.
    await ada.suspend()
    await ada.shred({ reason: 'accountDeleted' })
  })
  return {
    environment: { VAULT: home, KEY_BACKUPS: keys, ROOT_BACKUPS: roots, CREDENTIALS_DIRECTORY: credentials },
    withVault,
  }
}
