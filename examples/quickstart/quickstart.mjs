// `npm start`: a vault on this machine, and what it answers when things go wrong. Every line printed is computed; one
// expectation that fails makes the exit code 1.
import { randomBytes } from 'node:crypto'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { encryptedToText, field, initVault, KeyState, openVault, readEpochMarker, verifyReceipt } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { backupLocalStore, localKeyStoreCopy, localStores } from '@strongroom/store-local'
import { z } from 'zod'

import { copyFolder, expectOpen, expectRefused, failures, filesHolding, say, temporaryFolder } from './show.mjs'

const folder = await temporaryFolder()
const passphrase = randomBytes(16).toString('base64url')
const file = join(folder, 'root.key')
await createLocalKeyFile({ file, passphrase, region: 'eu' })
// Copies of the root key file are kept for a day.
const provider = await localKeyProvider({ file, passphrase, copiesLife: 86_400_000 })
const options = () => ({ keyProviders: { eu: provider }, defaultRegion: 'eu', ...localStores({ directory: join(folder, 'vault') }) })

const first = options()
// One second: how long a process may use a key before it reads the store again. A minute, if you do not say otherwise.
await initVault({ ...first, cacheBound: 1000 })
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

const { receipt } = await vault.tenant('acme').subject('ada').shred({ reason: 'accountDeleted' })
const { reason, rootVersion } = verifyReceipt(receipt, await vault.receiptKeys())
say('receipt', `shredded again; signed and verified: ${reason}, final in every backup once root version ${rootVersion} is destroyed`)

say('rotate', `every living key opens with a new root version: ${await phasesOf(vault.rotateRootKey())}`)
const { startedAt } = await backupLocalStore({ directory: join(folder, 'vault'), store: 'keys', to: join(folder, 'newer', 'keys') })
await copyFile(file, join(folder, 'newer', 'root.key'))
const copy = localKeyStoreCopy({ directory: join(folder, 'newer', 'keys') })
const marker = await readEpochMarker({ keyStore: copy.keyStore, region: 'eu' })
await copy.close()
say('backup', 'the key store, with the marker of the new epoch in it, and the root key file')
say(
  'close',
  `root version ${rootVersion} is destroyed: ${await phasesOf(vault.closeEpoch({ backup: { marker, startedAt }, rootBackup: true }))}`,
)
await reads('after the close', 'shredded')

await vault.close()
await copyFolder(join(folder, 'vault', 'state'), join(folder, 'newer', 'state'))
await putBack('backup', 'keys', 'state')
await expectRefused('the old backup of both stores, opened', () => openVault(options()), 'root_version_destroyed')
await putBack('newer', 'keys', 'state')
vault = await openVault(options())
await reads('the new backup restored', 'shredded')
await vault.close()
await putBackHerKey()
vault = await openVault(options())
await reads('her old key record put into it by hand', 'root_version_destroyed')

await vault.close()
say('done', failures() === 0 ? 'every expectation held' : `expectations that failed: ${failures()}`)
process.exitCode = failures() === 0 ? 0 : 1

/** What Ada's and Bob's values answer now: Bob always reads. */
async function reads(when, adas) {
  const acme = vault.tenant('acme')
  const readAda = () => acme.subject('ada').decrypt(email, row.email, { record })
  if (adas.includes('@')) await expectOpen(`Ada, ${when}: she still reads`, readAda, adas)
  else await expectRefused(`Ada, ${when}`, readAda, adas)
  await expectOpen(`Bob, ${when}`, () => acme.subject('bob').decrypt(email, bobs, { record: 'bob' }), 'bob@example.com')
}

/** Restores from the first backup, with the vault closed meanwhile, as an operator would. */
async function restore(...stores) {
  await vault.close()
  await putBack('backup', ...stores)
  vault = await openVault(options())
}

/** Puts folders of a backup in the place of the live ones. */
async function putBack(backup, ...stores) {
  for (const store of stores) {
    await rm(join(folder, 'vault', store), { recursive: true })
    await copyFolder(join(folder, backup, store), join(folder, 'vault', store))
    // What says of a copy that it is one: a store in use has none.
    await rm(join(folder, 'vault', store, 'copy.json'), { force: true })
  }
}

/** What someone does who has the old backup and can write the key store: every record that says "shredded" is what it was. */
async function putBackHerKey() {
  const [old, now] = ['backup', 'vault'].map((name) => localStores({ directory: join(folder, name) }))
  for (const key of await now.keyStore.scan({ type: 'node', limit: 1000 })) {
    const [before] = await old.keyStore.get([{ type: 'node', ref: key.ref }])
    const shredded = key.versions.some(({ state }) => state === KeyState.shredded)
    if (shredded && before !== undefined) await now.keyStore.put({ ...before, revision: key.revision + 1 })
  }
  await Promise.all([old.close(), now.close()])
}

/** Runs an operation to its end, and lists the phases that it went through. */
async function phasesOf(operation) {
  const phases = new Set()
  for await (const { phase } of operation) phases.add(phase)
  return [...phases].join(', ')
}
