// Rotates the root key of region `eu`, backs the key store and the root key up, and closes the epoch. Whatever ends it early, run it again.
import { copyFile, mkdtemp, open, readFile, rmdir } from 'node:fs/promises'

import { openVault, readEpochMarker } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { backupLocalStore, localKeyStoreCopy, localStores } from '@strongroom/store-local'

const { VAULT, KEY_BACKUPS, ROOT_BACKUPS, CREDENTIALS_DIRECTORY } = process.env
for (const [name, value] of Object.entries({ VAULT, KEY_BACKUPS, ROOT_BACKUPS, CREDENTIALS_DIRECTORY }))
  if (!value) throw new Error(`${name} must be set: see README.md`)
const file = `${VAULT}/root.key`
const passphrase = (await readFile(`${CREDENTIALS_DIRECTORY}/passphrase`, 'utf8')).replace(/\r?\n$/, '')

const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interruption.abort())
const { signal } = interruption

// Before anything changes: a rotation whose backup cannot be made is one more old version that waits.
for (const folder of [KEY_BACKUPS, ROOT_BACKUPS]) await rmdir(await mkdtemp(`${folder}/probe-`))

const provider = await localKeyProvider({ file, passphrase, copiesLife: 30 * 86_400_000 })
const vault = await openVault({ keyProviders: { eu: provider }, defaultRegion: 'eu', ...localStores({ directory: `${VAULT}/stores` }) })
try {
  const now = new Date().toISOString().replaceAll(':', '-')
  const copyRootKey = async (end = '') => {
    const copied = `${ROOT_BACKUPS}/${now}${end}.key`
    await copyFile(file, copied)
    // On the disk, and its name too, before an older version is destroyed on our word.
    for (const [path, flags] of [
      [copied, 'r+'],
      [ROOT_BACKUPS, 'r'],
    ]) {
      const handle = await open(path, flags)
      await handle.sync()
      await handle.close()
    }
  }

  const [{ rotation, rootVersions }] = (await vault.status({ region: 'eu', signal })).regions
  const isOpen = ({ number, destruction }) => number < rotation.rootVersion && destruction === undefined
  if (rotation.state === 'finished' && rootVersions.some(isOpen)) {
    console.log('the last rotation has ended and its epoch is open: going on with the backup')
    await copyRootKey()
  } else {
    for await (const { phase, done, total } of vault.rotateRootKey({ signal })) {
      console.log(`${phase} ${done}/${total}`)
      // From here on the new version is in use: not everything is to hang on one file until the rotation ends.
      if (phase === 'preparing' && done === total) await copyRootKey()
    }
  }

  const copied = `${KEY_BACKUPS}/${now}`
  const { startedAt } = await backupLocalStore({ directory: `${VAULT}/stores`, store: 'keys', to: copied })
  const copy = localKeyStoreCopy({ directory: copied })
  const marker = await readEpochMarker({ keyStore: copy.keyStore, region: 'eu' })
  await copy.close()
  for await (const { phase } of vault.closeEpoch({ backup: { marker, startedAt }, rootBackup: true, signal })) console.log(phase)
  await copyRootKey('-closed')

  const [{ shreds }] = (await vault.status({ region: 'eu' })).regions
  console.log(
    `shreds: ${shreds.final} final, ${shreds.waiting.count} waiting, ${shreds.awaiting.count} until copies of the root key are gone`,
  )
} catch (error) {
  if (error !== signal.reason) throw error
  console.error('interrupted: run it again')
  process.exitCode = 2
} finally {
  await vault.close()
}
