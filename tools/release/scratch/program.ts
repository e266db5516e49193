// What a user writes: made, encrypted, decrypted, shredded, rotated, closed. Throws if one answer is not the expected one.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  type Encrypted,
  encryptedToText,
  field,
  initVault,
  openVault,
  readEpochMarker,
  StrongroomError,
  type Vault,
  type VaultOptions,
  verifyReceipt,
} from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { backupLocalStore, localKeyStoreCopy, localStores } from '@strongroom/store-local'
import { z } from 'zod'

const folder: string = await mkdtemp(join(tmpdir(), 'strongroom-scratch-program-'))
const directory = join(folder, 'vault')
const file = join(folder, 'root.key')
const rawKey = crypto.getRandomValues(new Uint8Array(32))

await createLocalKeyFile({ file, rawKey, region: 'eu' })
const options: VaultOptions = {
  keyProviders: { eu: await localKeyProvider({ file, rawKey, copiesLife: 0 }) },
  defaultRegion: 'eu',
  ...localStores({ directory }),
}
await initVault({ ...options, cacheBound: 1000 })
const vault: Vault = await openVault(options)
await vault.tenants.create('acme')

const profile = field('users', 'profile', z.object({ email: z.email(), born: z.int() }))
const acme = vault.tenant('acme')
const [alice, bob] = [acme.subject('alice'), acme.subject('bob')]
const ada = { email: 'ada@example.com', born: 1815 }

const stored: Encrypted<{ email: string; born: number }> = await alice.encrypt(profile, ada, { record: 1 })
const opened = await alice.decrypt(profile, stored, { record: 1 })
expect('decrypted', opened.email === ada.email && opened.born === ada.born)
const bobs = encryptedToText(await bob.encrypt(profile, ada, { record: 2 }))
expect('refused elsewhere', (await codeOf(bob.decrypt(profile, stored, { record: 1 }))) === 'decrypt_failed')

const { receipt } = await alice.shred({ reason: 'accountDeleted' })
expect('receipt', verifyReceipt(receipt, await vault.receiptKeys()).reason === 'accountDeleted')
expect('shredded', (await codeOf(alice.decrypt(profile, stored, { record: 1 }))) === 'shredded')

for await (const { phase, done, total } of vault.rotateRootKey()) console.log(`${phase} ${done}/${total}`)
const { startedAt } = await backupLocalStore({ directory, store: 'keys', to: join(folder, 'backup') })
const copy = localKeyStoreCopy({ directory: join(folder, 'backup') })
const marker = await readEpochMarker({ keyStore: copy.keyStore, region: 'eu' })
await copy.close()
if (marker === undefined) throw new Error('the backup has no epoch marker')
for await (const { phase } of vault.closeEpoch({ backup: { marker, startedAt }, rootBackup: true })) console.log(phase)
expect('rotated', (await bob.decrypt(profile, bobs, { record: 2 })).email === ada.email)

await vault.close()
await rm(folder, { recursive: true })
console.log('every expectation held')

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'a value'
  } catch (error) {
    return error instanceof StrongroomError ? error.code : String(error)
  }
}

function expect(what: string, holds: boolean): void {
  if (!holds) throw new Error(`expected: ${what}`)
}
