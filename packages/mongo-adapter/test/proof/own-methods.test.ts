// What an encrypted collection has beside the driver's methods, behind the tap as those are: re-encryption and the rules of the database.
import { inspect } from 'node:util'

import { type MongoServerError } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { refusalOf } from '../refusals.ts'
import { ada, ghost, NEEDLES } from './people.ts'
import { openProof, type Proof, uri } from './proof.ts'
import type { Channel } from './witness.ts'

const pinned = { _id: 'ada', orgId: 'acme' }
const ERRORS: readonly Channel[] = [
  'error message',
  'error stack',
  'error cause',
  'error as JSON',
  'error inspected',
  'error of the server',
]

describe.skipIf(uri === undefined)('on a server', () => {
  let proof: Proof
  beforeAll(async () => {
    proof = await openProof({ cacheBound: 200 })
  })
  afterAll(() => proof.close())
  beforeEach(() => proof.fresh())

  async function expectSilence(channels?: readonly Channel[]): Promise<void> {
    await proof.gather('at the end')
    const found = proof.witness.findings(NEEDLES)
    expect(channels === undefined ? found : found.filter(({ channel }) => channels.includes(channel))).toEqual([])
    // The driver's own account and the line's are the same, so that neither was deaf.
    expect([...proof.data.commands()].sort()).toEqual(proof.commands.map(({ commandName }) => commandName).sort())
  }

  test('reencrypt shows nothing', async () => {
    const subject = proof.vault.tenant('acme').subject('ada')
    for await (const _ of proof.vault.rotateSubjectKey(subject));
    proof.listen()
    const run = proof.users.reencrypt({ tenant: 'acme', subject: 'ada' })
    console.log('%o', run, inspect(run, { showHidden: true, depth: 12 }))
    for await (const progress of run) console.log(progress)
    expect(proof.commands.map(({ commandName }) => commandName)).toContain('update')
    await expectSilence()
    const options = { holders: [proof.users.resource()], dataBackup: { startedAt: Date.now() } }
    for await (const _ of proof.vault.retireVersion(subject, options));
    expect(await proof.users.findOne(pinned)).toEqual(ada)
  })

  test('reencrypt of what does not open shows nothing of it', async () => {
    const stored = { name: ghost.name, 'email.c': ghost.email, phones: [ghost.phone] }
    await proof.stored.updateOne({ _id: 'ada' }, { $set: stored })
    proof.listen()
    const error = await refusalOf(async () => {
      for await (const _ of proof.users.reencrypt({ tenant: 'acme', subject: 'ada' }));
    })
    expect(error.code).toBe('decrypt_failed')
    proof.witness.error('reencrypt', error)
    await expectSilence(ERRORS)
  })

  test('enforce and unenforce show nothing', async () => {
    await proof.users.enforce()
    await proof.users.unenforce()
    await proof.users.enforce()
    await expectSilence()
    expect(proof.commands.map(({ commandName }) => commandName)).toContain('collMod')
    await expect(proof.stored.updateOne({ _id: 'ada' }, { $set: { name: ghost.name } })).rejects.toMatchObject({ code: 121 })
    await expect(proof.stored.updateOne({ _id: 'ada' }, { $set: { 'notes.0.text': ghost.text } })).rejects.toMatchObject({ code: 121 })
  })

  test('enforce where plaintext is stored says nothing of it', async () => {
    await proof.stored.updateOne({ _id: 'ada' }, { $set: { name: ghost.name, phones: [ghost.phone], file: ghost.text } })
    proof.listen()
    const error = await refusalOf(() => proof.users.enforce())
    expect([error.code, error.message]).toEqual([
      'schema_mismatch',
      expect.stringContaining('name of one document, file of one document, phones[] of one document'),
    ])
    proof.witness.error('enforce', error)
    await expectSilence(ERRORS)
  })

  test('a document that the own validator refuses: the error says nothing of what is encrypted', async () => {
    await proof.stored.db.command({ collMod: proof.users.collectionName, validator: { plan: { $ne: 'forbidden' } } })
    await proof.users.enforce()
    for (const call of [
      () => proof.users.updateOne(pinned, { $set: { plan: 'forbidden', name: ghost.name } }),
      () => proof.users.insertOne({ _id: 'ghost', orgId: 'acme', plan: 'forbidden', email: ghost.email }),
      () => proof.users.insertMany([{ _id: 'ghost', orgId: 'acme', plan: 'forbidden', phones: [ghost.phone] }], { ordered: false }),
    ]) {
      const error = await (call() as Promise<unknown>).then(
        () => undefined,
        (thrown: MongoServerError) => thrown,
      )
      expect(error?.code).toBe(121)
      proof.witness.error(String(call), error)
      expect(inspect(error, { depth: 12 })).not.toContain('consideredValue')
    }
    await expectSilence()
  })

  test('a change that does not open says nothing of what stands there', async () => {
    const changes = proof.users.watch([], { fullDocument: 'updateLookup', maxAwaitTimeMS: 20 })
    for (let quiet = 0; quiet < 2;) quiet = (await changes.tryNext()) === null ? quiet + 1 : 0
    await proof.stored.insertOne({ _id: 'ghost', orgId: 'acme', name: ghost.name })
    await proof.stored.updateOne({ _id: 'ada' }, { $set: { 'phones.0.c': ghost.phone, 'address.street': ghost.street } })
    proof.listen()
    for (const path of ['name of', 'address.street of']) {
      const error = await refusalOf(() => changes.next())
      expect([error.code, error.message]).toEqual(['decrypt_failed', expect.stringContaining(path)])
      proof.witness.error('watch', error)
    }
    console.log(inspect(changes, { showHidden: true, depth: 12 }), inspect(changes, { customInspect: false }))
    await changes.close()
    await expectSilence([...ERRORS, 'console'])
  })
})
