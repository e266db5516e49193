// A batch of three loads of keys, of which anything in it cannot be encrypted: nothing at all is sent, and the keys made by then do no harm.
import { type Access, initVault, type KeyStore, openVault, StrongroomError, type Vault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encrypted, encryptedCollection, type EncryptedCollection, SHREDDED } from '@strongroom/mongo-adapter'
import { type Collection, type Document } from 'mongodb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { refusalOf } from '../refusals.ts'
import { emptyDatabase, openClient, uri } from '../support.ts'

const COUNT = 2500
const Contact = z.object({
  _id: z.string(),
  orgId: z.string(),
  name: encrypted(z.string()),
  phone: encrypted(z.string(), { index: { scope: 'tenant', normalize: 'phone' } }).optional(),
})
type Contact = z.output<typeof Contact>

// Of another tenant from the second load on, so that each load asks for more than the keys of its people.
const contact = (n: number): Contact => ({
  _id: `c${n}`,
  orgId: n < 1000 ? 'acme' : 'rival',
  name: `Canary ${n}`,
  phone: `+44207946${String(n).padStart(4, '0')}`,
})
const whole = (): Contact[] => Array.from({ length: COUNT }, (_, n) => contact(n))

/** What goes wrong while keys are asked for and used. */
interface Faults {
  /** Called with each operation, before it; `encrypted` counts those of values that were let through. */
  during: (access: Access, encrypted: number) => void
  providerIsDown: boolean
  storeIsDown: boolean
}

describe.skipIf(uri === undefined)('on a server', () => {
  const client = uri === undefined ? undefined : openClient({ monitorCommands: true })
  const sent: string[] = []
  client?.on('commandStarted', ({ commandName }) => sent.push(commandName))
  let faults: Faults
  let vault: Vault
  let contacts: EncryptedCollection<Contact>
  let stored: Collection<Document & { _id: string }>
  let keyStore: ReturnType<typeof memoryKeyStore>
  let reopen: () => Promise<EncryptedCollection<Contact>>

  beforeEach(async () => {
    faults = { during: () => undefined, providerIsDown: false, storeIsDown: false }
    const provider = memoryKeyProvider()
    const up = <T>(call: () => Promise<T>): Promise<T> =>
      faults.providerIsDown ? Promise.reject(new StrongroomError('key_provider_unavailable', 'a test made it so')) : call()
    const there = <T>(call: () => Promise<T>): Promise<T> =>
      faults.storeIsDown ? Promise.reject(new StrongroomError('key_store_unavailable', 'a test made it so')) : call()
    keyStore = memoryKeyStore()
    const failing: KeyStore = {
      ...keyStore,
      get: (keys) => there(() => keyStore.get(keys)),
      put: (record) => there(() => keyStore.put(record)),
    }
    let encryptions = 0
    const options = {
      keyProviders: {
        eu: {
          ...provider,
          wrap: (...given: Parameters<typeof provider.wrap>) => up(() => provider.wrap(...given)),
          unwrap: (...given: Parameters<typeof provider.unwrap>) => up(() => provider.unwrap(...given)),
        },
      },
      defaultRegion: 'eu',
      keyStore: failing,
      stateStore: memoryStateStore(),
      onAccess(access: Access) {
        if (access.operation === 'encrypt') encryptions++
        faults.during(access, encryptions)
      },
    }
    await initVault(options)
    const made = await openVault(options)
    for (const tenant of ['acme', 'rival']) await made.tenants.create(tenant)
    await made.close()
    const db = emptyDatabase(client as NonNullable<typeof client>)
    stored = db.collection('contacts')
    reopen = async () => {
      encryptions = 0
      vault = await openVault(options)
      return encryptedCollection(vault, db.collection('contacts'), {
        schema: Contact,
        tenant: 'orgId',
        subject: '_id',
      }) as unknown as typeof contacts
    }
    // A process that has loaded no keys yet.
    contacts = await reopen()
    sent.length = 0
  })
  afterEach(() => vault.close())

  async function sendsNothing(code: string, documents: readonly Document[], options = {}): Promise<void> {
    const error = await refusalOf(() => contacts.insertMany(documents as never, options))
    expect(error.code).toBe(code)
    expect(JSON.stringify([error, error.stack, error.cause])).not.toContain('Canary')
    expect(sent).toEqual([])
    expect(await stored.countDocuments()).toBe(0)
    sent.length = 0
  }

  async function storesAll(documents: readonly Contact[]): Promise<void> {
    expect(await contacts.insertMany(documents)).toMatchObject({ insertedCount: documents.length })
    expect(await stored.countDocuments()).toBe(documents.length)
    const read = await contacts.find({ _id: { $in: documents.filter((_, n) => n % 97 === 0).map(({ _id }) => _id) } }).toArray()
    expect(read.sort((a, b) => Number(a._id.slice(1)) - Number(b._id.slice(1)))).toEqual(documents.filter((_, n) => n % 97 === 0))
    const last = documents.at(-1) as Contact
    expect(await contacts.find({ orgId: last.orgId, phone: last.phone as string }).toArray()).toEqual([last])
  }

  const bad: readonly [string, (good: Contact) => object][] = [
    ['a member that is not declared', (good) => ({ ...good, other: 'Canary' })],
    ['a value that cannot be stored', (good) => ({ ...good, name: () => 'Canary' })],
    ['a mark of what is shredded', (good) => ({ ...good, name: SHREDDED })],
    ['no tenant', ({ _id, name }) => ({ _id, name })],
    ['what its normaliser refuses', (good) => ({ ...good, phone: '0207 Canary' })],
  ]
  describe.each(bad)('%s', (_, spoil) => {
    test.each([0, 1500, COUNT - 1])('in document %i', async (at) => {
      const documents = whole().map((good, n) => (n === at ? spoil(good) : good))
      await sendsNothing('invalid_argument', documents)
      await sendsNothing('invalid_argument', documents, { ordered: false })
      await storesAll(whole())
    })
  })

  test('a tenant that there is not', async () => {
    await sendsNothing('not_found', [...whole(), { ...contact(COUNT), orgId: 'nobody' }])
    await storesAll(whole())
  })

  test.each([1500, COUNT - 1])('a person who is shredded, in document %i', async (at) => {
    await contacts.insertOne(contact(at))
    await vault.tenant('rival').subject(`c${at}`).shred()
    await stored.deleteMany()
    sent.length = 0
    await sendsNothing('shredded', whole())
    await storesAll(whole().filter((_, n) => n !== at))
  })

  test.each(['person', 'tenant'])('a %s who is suspended', async (who) => {
    const place = who === 'person' ? vault.tenant('rival').subject(`c${COUNT - 1}`) : vault.tenant('rival')
    await contacts.insertOne(contact(COUNT - 1))
    await stored.deleteMany()
    await place.suspend()
    sent.length = 0
    await sendsNothing('suspended', whole())
    await place.resume()
    await storesAll(whole())
  })

  test('a tenant who is shredded', async () => {
    await vault.tenant('rival').shred()
    await sendsNothing('shredded', whole())
    await storesAll(whole().slice(0, 1000))
  })

  test('the key store goes away after the first load of keys', async () => {
    faults.during = (_access, encryptions) => {
      if (encryptions === 10) faults.storeIsDown = true
    }
    const before = keyStore.snapshot().length
    await sendsNothing('key_store_unavailable', whole())
    // It was not before: the keys of the first load are there.
    expect(keyStore.snapshot().length).toBeGreaterThanOrEqual(before + 1000)
    faults.during = () => undefined
    await sendsNothing('key_store_unavailable', whole())
    faults.storeIsDown = false
    await storesAll(whole())
  })

  test('the provider is away; once the tenants are open it is not needed', async () => {
    faults.providerIsDown = true
    await sendsNothing('key_provider_unavailable', whole())
    faults.providerIsDown = false
    faults.during = (_access, encryptions) => {
      if (encryptions === 10) faults.providerIsDown = true
    }
    await storesAll(whole())
    expect(faults.providerIsDown).toBe(true)
  })

  // Two values of each document.
  test.each([0, 1, 3000, 2 * COUNT - 1])('whoever decides about access denies after %i values', async (most) => {
    faults.during = ({ operation }, encryptions) => {
      if (operation === 'encrypt' && encryptions > most) throw new Error('no')
    }
    await sendsNothing('denied', whole())
    faults.during = () => undefined
    await storesAll(whole())
  })

  test.each([0, 1, COUNT - 1])('or does not let the keys of person %i be opened', async (n) => {
    faults.during = ({ operation, subject }) => {
      if (operation === 'unlock' && subject === `c${n}`) throw new Error('no')
    }
    await sendsNothing('denied', whole())
    faults.during = () => undefined
    await storesAll(whole())
  })

  test('the vault is closed before, or meanwhile', async () => {
    let closing: Promise<void> | undefined
    faults.during = (_access, encryptions) => void (encryptions === 3000 && (closing ??= vault.close()))
    await sendsNothing('vault_closed', whole())
    await closing
    await sendsNothing('vault_closed', whole())
    faults.during = () => undefined
    contacts = await reopen()
    await storesAll(whole())
  })
})
