// `npm start`: a vault on this machine, and what it answers when things go wrong. Every line printed is computed; one
// expectation that fails makes the exit code 1.
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { encryptedToText, field, initVault, openVault } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { z } from 'zod'

import { copyFolder, expectOpen, expectRefused, failures, filesHolding, say, temporaryFolder } from './show.mjs'

const folder = await temporaryFolder()
const passphrase = randomBytes(16).toString('base64url')
const file = join(folder, 'root.key')
await createLocalKeyFile({ file, passphrase, region: 'eu' })
const provider = await localKeyProvider({ file, passphrase })
const options = () => ({ keyProviders: { eu: provider }, defaultRegion: 'eu', ...localStores({ directory: join(folder, 'vault') }) })

const first = options()
await initVault(first)
let vault = await openVault(first)
await vault.tenants.create('acme')
await vault.tenants.create('rival')
say('made', 'a vault with two organisations: a root key file, a key store and a state store')

// One row of a users table: the plain columns as ever, an e-mail address and an OAuth token encrypted under Ada's own key.
const email = field('users', 'email', z.email())
const token = field('users', 'token', z.string())
const ada = vault.tenant('acme').subject('ada')
const bob = vault.tenant('acme').subject('bob')
const record = 'ada'
const row = {
  _id: record,
  plan: 'pro',
  email: encryptedToText(await ada.encrypt(email, 'ada@example.com', { record })),
  token: encryptedToText(await ada.encrypt(token, 'ya29.A0ARrdaM-secret-token', { record })),
}
const bobs = await bob.encrypt(email, 'bob@example.com', { record: 'bob' })
say('row', JSON.stringify(row))
await filesHolding(folder, row, ['ada@example.com', 'ya29.A0ARrdaM-secret-token', passphrase])

await expectOpen('Ada reads her own e-mail address', () => ada.decrypt(email, row.email, { record }), 'ada@example.com')
await expectRefused("Bob's value put into Ada's row", () => ada.decrypt(email, bobs, { record }), 'decrypt_failed')
await expectRefused(
  'another organisation opens it',
  () => vault.tenant('rival').subject('ada').decrypt(email, row.email, { record }),
  'decrypt_failed',
)
const middle = row.email.length >> 1
const altered = row.email.slice(0, middle) + (row.email[middle] === 'A' ? 'B' : 'A') + row.email.slice(middle + 1)
await expectRefused('one character changed', () => ada.decrypt(email, altered, { record }), 'decrypt_failed')

await vault.close()
await copyFolder(join(folder, 'vault'), join(folder, 'backup'))
vault = await openVault(options())
const { versions } = await vault.tenant('acme').subject('ada').shred({ reason: 'accountDeleted' })
say('shred', `Ada's account is deleted: ${versions} key destroyed, no row touched`)
await reads('after it', 'shredded')

await restore('keys')
await reads('the key store alone restored from before', 'shredded')

say('mind', 'a backup of both stores together still opens, with what was shredded since, until an epoch closes: its root key is destroyed')
await restore('keys', 'state')
await reads('both stores restored from before', 'ada@example.com')

await vault.close()
say('done', failures() === 0 ? 'every expectation held' : `expectations that failed: ${failures()}`)
process.exitCode = failures() === 0 ? 0 : 1

/** What Ada's and Bob's values answer now: Bob always reads. */
async function reads(when, adas) {
  const acme = vault.tenant('acme')
  const readAda = () => acme.subject('ada').decrypt(email, row.email, { record })
  if (adas === 'shredded') await expectRefused(`Ada, ${when}`, readAda, adas)
  else await expectOpen(`Ada, ${when}: she still reads`, readAda, adas)
  await expectOpen(`Bob, ${when}`, () => acme.subject('bob').decrypt(email, bobs, { record: 'bob' }), 'bob@example.com')
}

/** Puts folders of the backup in the place of the live ones, as an operator would. */
async function restore(...stores) {
  await vault.close()
  for (const store of stores) {
    await rm(join(folder, 'vault', store), { recursive: true })
    await copyFolder(join(folder, 'backup', store), join(folder, 'vault', store))
  }
  vault = await openVault(options())
}
