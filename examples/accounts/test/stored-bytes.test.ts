// What whoever has stolen the databases reads in them.
import { createHash, randomUUID } from 'node:crypto'

import { createLocalKeyFile } from '@strongroom/kms-local'
import { Binary } from 'mongodb'
import { expect, test } from 'vitest'

import { findSecrets, storedBytes } from '../../../tools/services/stored-bytes.mjs'
import { Account } from '../dist/documents.js'
import { describeOnServer, invite, logIn } from './support.ts'

describeOnServer(
  'stored bytes',
  (ground) => {
    test('[C1] name and e-mail address of an account are encrypted in the database, and in no database in plaintext, in any encoding', async () => {
      const { service, client, database } = ground
      const ada = await ground.signUp(await ground.organisation('Canary Organisation'), {
        email: 'Canary.Lovelace@Example.com',
        name: 'Ada Canary Lovelace',
        password: 'canary password of Ada',
      })
      const invitation = await invite(service, ada)
      const bob = await ground.signUp(await invite(service, ada), { email: 'canary.babbage@example.com', name: 'Canary Babbage' })
      const change = { email: 'canary.king@example.org', name: 'Canary King' }
      expect((await service.call('PATCH', '/me', { token: ada.token, body: change })).status).toBe(204)
      const again = await logIn(service, { ...ada, ...change })
      // What fails leaves nothing either.
      for (const [email, password] of [
        [change.email, 'canary wrong password'],
        ['canary.nobody@example.com', 'canary wrong password'],
      ])
        expect((await service.call('POST', '/session', { body: { email, password } })).status).toBe(401)
      const taken = { ...bob, id: undefined, token: undefined, invitation }
      expect((await service.call('POST', '/accounts', { body: taken })).body).toEqual({ error: 'email_taken' })

      const people = [ada, bob, change, { email: 'canary.nobody@example.com', password: 'canary wrong password' }]
      const secrets = people.flatMap((person) =>
        ['email', 'name', 'password'].flatMap((member) => (person as Record<string, string>)[member] ?? []),
      )
      // And what is in all of them, however they were cut.
      secrets.push('Canary Organisation', 'canary')
      const tokens = [ada.token, bob.token, again, invitation]
      const stored = await storedBytes(client, database)
      expect(findSecrets(stored, secrets, tokens)).toEqual([])
      expect(findSecrets([{ where: 'printed', bytes: Buffer.from(service.printed()) }], secrets, tokens)).toEqual([])

      // That there is something to find, and that it would be found.
      expect(new Set(findSecrets(stored, [ada.id, bob.id]).map(({ secret }) => secret))).toEqual(new Set([ada.id, bob.id]))
      const document = await ground.storedOne('accounts', { _id: ada.id })
      expect(document).toMatchObject({ name: expect.any(Binary), email: { c: expect.any(Binary), i: expect.any(Binary) } })
      expect((await service.call('GET', '/me', { token: again })).body).toMatchObject({ ...change, organisation: 'Canary Organisation' })
    })

    test.each([
      ['as it is', (text: string) => text],
      ['in small letters', (text: string) => text.toLowerCase()],
      ['in hex', (text: string) => Buffer.from(text).toString('hex')],
      ['in base64, anywhere', (text: string) => Buffer.from(`??${text}??`).toString('base64')],
      ['as a hash', (text: string) => createHash('sha256').update(text.toLowerCase()).digest('hex')],
      ['in UTF-16', (text: string) => new Binary(Buffer.from(text, 'utf16le'))],
    ])('the search finds what is planted %s', async (_, form) => {
      const planted = 'Planted.Person@Example.com'
      const collection = ground.stored('accounts')
      const _id = randomUUID()
      await collection.insertOne({ _id, planted: form(planted) })
      expect(findSecrets(await storedBytes(ground.client, ground.database), [planted])).not.toEqual([])
      await collection.deleteOne({ _id })
      expect(findSecrets(await storedBytes(ground.client, ground.database), [planted])).toEqual([])
    })

    test('the databases open with no other root key', async () => {
      const { environment } = ground.programs
      const other = `${environment.ROOT_KEY_FILE}.other`
      const passphrase = 'another passphrase'
      await createLocalKeyFile({ file: other, passphrase, region: 'eu' })
      const { openStore } = await import('../dist/store.js')
      const { Secret } = await import('@strongroom/core')
      const { mongoose } = ground
      const configuration = { ...environment, ROOT_KEY_FILE: other, HOST: '', PORT: 0, passphrase: new Secret(passphrase), mongoose }
      await expect(openStore(configuration)).rejects.toMatchObject({ code: 'wrong_root_key' })
      const { _id, orgId } = await ground.storedOne('accounts', {})
      await ground.withStore(async ({ accounts }) =>
        expect(await accounts.find({ _id, orgId: String(orgId) })).toMatchObject({ role: 'owner' }),
      )
    })

    test('passwords are Argon2id hashes, and those encrypted', async () => {
      const ada = await ground.signUp(await ground.organisation())
      const kept = await ground.withStore(async ({ accounts }) => Account.parse(await accounts.findByAddress(ada.email)).password)
      expect(kept).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
      expect(findSecrets(await storedBytes(ground.client, ground.database), ['argon2id', kept])).toEqual([])
    })
  },
  { quick: true },
)
