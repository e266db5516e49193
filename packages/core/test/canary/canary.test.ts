// Known secrets go in, a broad script of successes and failures runs, and none of them comes out anywhere.
import {
  CanonicalScalar,
  encryptedToText,
  field,
  initVault,
  NodeKind,
  openVault,
  randomBytes,
  Secret,
  type Subject,
  systemClock,
  type Vault,
} from '@strongroom/core'
import { downProvider, memoryKeyProvider } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { guardKeyStore, guardStateStore } from '#core/keys/guarded-stores.js'
import { KeyTree, required } from '#core/keys/key-tree.js'
import { type Step, textStep } from '#core/keys/known-refs.js'
import { Providers } from '#core/keys/providers.js'
import { readVaultRecord } from '#core/keys/vault-record.js'

import { alice, BOUND, emptyGround, flipped, optionsAround } from '../vault/support.ts'
import { type Canary, type Channel, CHANNELS, Scanner } from './scanner.ts'

const utf8 = (name: string, text: string): Canary => ({ name, bytes: Buffer.from(text) })

const VALUE = 'canary-value-8d2f61c07be94a'
const JSON_VALUE = 'canary-in-json-55e0c9d1aa7733'
const TOKEN = 'canary-token-f00dfeed1234abcd'
const RECORD = 'canary-record-77aa88bb99cc0011'
const BINARY = Uint8Array.from({ length: 24 }, (_, i) => (i * 73 + 201) % 256)
const SUBJECT = 'canary-subject-0a1b2c3d4e5f'
const ITEM = 'canary-item-5f4e3d2c1b0a99'
const TENANT = 'canary-tenant-91827364aabb'

/** What must be nowhere at all. */
const SECRETS: Canary[] = [
  utf8('value', VALUE),
  utf8('value in JSON', JSON_VALUE),
  utf8('token', TOKEN),
  { name: 'binary value', bytes: BINARY },
]
/** What must be in no error, no console line and no store; an object that was made by name may know its name. */
const NAMES: Canary[] = [utf8('subject', SUBJECT), utf8('item', ITEM), utf8('tenant', TENANT), utf8('record id', RECORD)]
const NAMES_MAY_BE_IN: readonly Channel[] = ['object inspected', 'object as JSON', 'object cloned']

/** The key bytes that a vault handles: whatever the platform was asked to fill with random bytes for a key, and what goes to the provider. */
async function watchingKeys<T>(keys: Canary[], work: () => Promise<T>): Promise<T> {
  const note = (name: string, bytes: Uint8Array): void => void keys.push({ name, bytes: Uint8Array.from(bytes) })
  const provider = memoryKeyProvider()
  const watched = {
    ...provider,
    wrap: (plaintext: Uint8Array, o: { aad: Uint8Array }) => (note('wrapping key', plaintext.subarray(0, 32)), provider.wrap(plaintext, o)),
    unwrap: async (wrapped: never, o: { aad: Uint8Array }) => {
      const plaintext = await provider.unwrap(wrapped, o)
      note('wrapping key', plaintext.subarray(0, 32))
      return plaintext
    },
  }
  current = watched
  return work()
}
let current: ReturnType<typeof memoryKeyProvider> | undefined

/** Console lines, as they are written. */
async function overheard(scanner: Scanner, work: () => Promise<void>): Promise<void> {
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name]
    const write = stream.write
    stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
      scanner.text('console', name, Buffer.from(chunk as Uint8Array).toString())
      return write.call(stream, chunk, ...rest)
    }) as typeof write
    return () => void (stream.write = write)
  })
  const warned = (warning: Error): void => scanner.text('console', 'warning', String(warning.stack))
  process.on('warning', warned)
  try {
    await work()
    scanner.text('console', 'end', '')
  } finally {
    for (const each of restore) each()
    process.off('warning', warned)
  }
}

async function script(scanner: Scanner, keys: Canary[]): Promise<void> {
  await watchingKeys(keys, () => overheard(scanner, () => run(scanner, keys)))
}

async function run(scanner: Scanner, keys: Canary[]): Promise<void> {
  const tries = async (where: string, call: () => unknown): Promise<void> => {
    try {
      scanner.object(where, await call())
    } catch (error) {
      scanner.error(where, error)
    }
  }
  const failing = async (where: string, call: () => unknown): Promise<void> => {
    let done = false
    await tries(where, async () => {
      await call()
      done = true
    })
    if (done) throw new Error(`${where} was meant to fail`)
  }

  const made = emptyGround()
  const provider = downProvider(current as NonNullable<typeof current>)
  provider.isDown = false
  const options = { ...made.options, keyProviders: { eu: provider } }
  await initVault(options)
  await failing('initVault again', () => initVault(options))
  const vault = await openVault(options)
  const tenant = await vault.tenants.create(TENANT)
  await vault.tenants.create('acme')
  const her: Subject = tenant.subject(SUBJECT)
  const item = her.item(ITEM)

  const anything = field('users', 'anything', z.any())
  const picky = field(
    'users',
    'anything',
    z.string().refine((value) => {
      if (value.includes('canary')) throw new Error(`I do not like ${value}`)
      return true
    }),
  )
  const enumerated = field('users', 'anything', z.enum(['a', 'b']))
  const literal = field('users', 'anything', z.literal('x'))
  const object = field('users', 'anything', z.strictObject({ a: z.string() }))
  const values = [VALUE, BINARY, { nested: [{ token: JSON_VALUE }] }, [TOKEN]]
  const stored: Uint8Array[] = []
  for (const place of [her, item, tenant.self()]) {
    for (const value of values) {
      const one = await place.encrypt(anything, value, { record: RECORD })
      stored.push(one)
      scanner.object('Encrypted', one)
      scanner.object('text form', encryptedToText(one))
      await place.decrypt(anything, one, { record: RECORD })
    }
  }
  const first = stored[0] as Uint8Array
  const unlocked = await her.unlock()
  unlocked.decrypt(anything, first, { record: RECORD })
  unlocked.encrypt(anything, VALUE)

  // The key tree of a process of its own, with the same keys in memory as the vault has.
  const keyStore = guardKeyStore(options.keyStore)
  const { vaultId } = await readVaultRecord(keyStore)
  const providers = new Providers(options.keyProviders, 1000)
  const context = {
    vaultId,
    cacheBound: BOUND,
    clock: systemClock,
    keyStore,
    stateStore: guardStateStore(options.stateStore),
    providers,
    announce: () => Promise.resolve(),
    failpoint: () => undefined,
  }
  const tree = new KeyTree(context, { maxAge: BOUND, maxNodes: 10, maxTenants: 10 })
  const step = (kind: NodeKind, text: string): Step => textStep(kind, text)
  const root = await tree.vault()
  const { ref: tenantRef } = root.refTo(root.tenants, step(NodeKind.tenant, TENANT))
  const path = required(await tree.open(tenantRef, [step(NodeKind.subject, SUBJECT), step(NodeKind.item, ITEM)], false))
  for (const { versions } of path.nodes)
    for (const version of versions) keys.push({ name: 'secret of a node', bytes: Uint8Array.from(version.secretForWrapping()) })

  for (const [where, value] of Object.entries({
    vault,
    tenants: vault.tenants,
    tenant,
    subject: her,
    self: tenant.self(),
    item,
    unlocked,
    'unlocked among many': await tenant.unlockMany([SUBJECT]),
    field: anything,
    picky,
    options,
    provider,
    path,
    tree,
    secret: new Secret(VALUE),
    'secret of bytes': { bytes: new Secret(BINARY), list: [new Secret([TOKEN])] },
    scalar: new CanonicalScalar(new Uint8Array([2, 97])),
  }))
    scanner.object(where, value)
  console.log(vault, her, unlocked, new Secret(VALUE), String(new Secret(TOKEN)))
  console.error('%o %j', item, new Secret(VALUE))

  // What fails.
  await failing('other subject', () => tenant.subject('x').decrypt(anything, first, { record: RECORD }))
  await failing('other tenant', () => alice(vault).decrypt(anything, first, { record: RECORD }))
  await failing('no tenant', () => vault.tenant(`${TENANT}2`).subject(SUBJECT).encrypt(anything, VALUE))
  await failing('no record', () => her.decrypt(anything, first))
  await failing('altered', () => her.decrypt(anything, flipped(first, 8 * 50), { record: RECORD }))
  await failing('altered text', () => her.decrypt(anything, `${encryptedToText(first)}=`, { record: RECORD }))
  for (const declared of [picky, enumerated, literal, object]) {
    await failing('schema at writing', () => her.encrypt(declared as typeof anything, VALUE))
    await failing('schema at reading', () => her.decrypt(declared as typeof anything, first, { record: RECORD }))
    await failing('schema in a handle', () => unlocked.encrypt(declared as typeof anything, VALUE))
  }
  await failing('value', () => her.encrypt(anything, `${VALUE}\ud800`))
  await failing('value in JSON', () => her.encrypt(anything, { [VALUE]: Symbol(VALUE) }))
  await failing('getter', () =>
    her.encrypt(anything, {
      get a() {
        throw new Error(VALUE)
      },
    }),
  )
  await failing('name', () => tenant.subject(`${SUBJECT}\ud800`))
  await failing('item name', () => her.item(`${ITEM}\ud800`))
  await failing('tenant name', () => vault.tenant(`${TENANT}\ud800`))
  await failing('record', () => her.encrypt(anything, VALUE, { record: `${RECORD}\ud800` }))
  await failing('record of a wrong type', () => her.encrypt(anything, VALUE, { record: { id: RECORD } as never }))
  await failing('reason', () => her.shred({ reason: VALUE as never }))
  await failing('region', () => vault.tenants.create('x', { region: VALUE }))
  await failing('options', () => openVault({ ...options, defaultRegion: VALUE }))
  await failing('tenant again', () => vault.tenants.create(TENANT))
  await failing('wrong root', () => openVault({ ...options, keyProviders: { eu: memoryKeyProvider() } }))

  let breaks = false
  const broken = await openVault({
    ...optionsAround({ ...made, options }, async ({ method }, proceed) => {
      const answer = await proceed()
      if (method === 'get' && breaks) throw new Error('no route to host')
      return answer
    }),
  })
  breaks = true
  await failing('key store down', () => broken.tenant(TENANT).subject(SUBJECT).decrypt(anything, first, { record: RECORD }))
  breaks = false
  const denying: Vault = await openVault({
    ...options,
    onAccess: () => {
      throw new Error('not today')
    },
  })
  await failing('denied', () => denying.tenant(TENANT).subject(SUBJECT).decrypt(anything, first, { record: RECORD }))
  made.clock.advance(BOUND)
  await failing('expired handle', () => unlocked.decrypt(anything, first, { record: RECORD }))
  provider.isDown = true
  await failing('provider down', () => her.decrypt(anything, first, { record: RECORD }))
  await failing('suspend while the provider is down', () => her.suspend())
  provider.isDown = false
  await tries('suspend', () => her.suspend())
  await failing('suspended', () => her.decrypt(anything, first, { record: RECORD }))
  await tries('resume', () => her.resume())
  await tries('get', () => vault.tenants.get('acme'))
  await tries('shred', () => item.shred({ reason: 'operator' }))
  await tries('shred of the subject', () => her.shred())
  await failing('shredded', () => her.decrypt(anything, first, { record: RECORD }))
  scanner.store('key store', made.keyStore.snapshot())
  await tries('shred of the tenant', () => tenant.shred())
  await failing('shredded tenant', () => her.encrypt(anything, VALUE))
  await tries('reconcile', () => vault.reconcile())
  await tries('close', () => vault.close())
  await failing('closed', () => her.encrypt(anything, VALUE))
  await failing('closed list', async () => {
    for await (const info of vault.tenants.list()) scanner.object('info', info)
  })
  scanner.store('key store', made.keyStore.snapshot())
  scanner.store('state store', made.stateStore.snapshot())
}

describe('canaries', () => {
  test('no value, token or key comes out anywhere, and no name in an error, a line or a store', async () => {
    const scanner = new Scanner()
    const keys: Canary[] = []
    await script(scanner, keys)
    expect(scanner.findings([...SECRETS, ...keys])).toEqual([])
    expect(scanner.findings(NAMES).filter(({ channel }) => !NAMES_MAY_BE_IN.includes(channel))).toEqual([])
    // The scan saw something in every channel, and real keys.
    for (const channel of CHANNELS) expect(scanner.seen[channel]).toBeGreaterThan(0)
    expect(new Set(keys.map(({ name }) => name))).toEqual(new Set(['wrapping key', 'secret of a node']))
    expect(keys.every(({ bytes }) => bytes.length === 32 && bytes.some((byte) => byte !== 0))).toBe(true)
  })

  test.each(CHANNELS)('one that is planted in the channel “%s” is found there', async (channel) => {
    const planted = SECRETS[0] as Canary
    const scanner = new Scanner(channel, planted.bytes)
    await script(scanner, [])
    const found = scanner.findings([planted])
    expect(found.length).toBeGreaterThan(0)
    expect(new Set(found.map((finding) => finding.channel))).toEqual(new Set([channel]))
  })

  test.each(['utf8', 'hex', 'base64', 'base64url', 'utf16le', 'latin1'] as const)(
    'one that is written as %s in the middle of something is found',
    (encoding) => {
      for (const canary of [...SECRETS, { name: 'key', bytes: randomBytes(32) }]) {
        for (const before of ['', 'a', 'ab', 'abc']) {
          const scanner = new Scanner()
          const bytes = Buffer.concat([Buffer.from(before), canary.bytes, Buffer.from('after')])
          if (encoding === 'utf8') scanner.bytes('key store', 'x', bytes)
          else if (encoding === 'utf16le')
            scanner.bytes('key store', 'x', Buffer.from(Buffer.from(canary.bytes).toString('latin1'), 'utf16le'))
          else scanner.text('console', 'x', bytes.toString(encoding))
          expect(scanner.findings([canary]).length).toBeGreaterThan(0)
        }
      }
    },
  )
})
