// Type tests: what compiles, and (by @ts-expect-error) what must not. Compiled by architecture.test.ts; nothing here runs.
import {
  type Access,
  type BlindIndex,
  type Encrypted,
  encryptedToText,
  type Field,
  field,
  type KeyStore,
  openVault,
  type ReasonName,
  type Scalar,
  Secret,
  StrongroomError,
  type StrongroomErrorCode,
  type Subject,
  type TenantInfo,
  type UnlockedKeys,
  type Vault,
  type VaultOptions,
} from '@strongroom/core'
import { z } from 'zod'

// Both ways, in an invariant place.
interface Invariant<T> {
  use(value: T): T
  readonly held: (value: T) => T
}
type Same<A, B> = Invariant<A> extends Invariant<B> ? (Invariant<B> extends Invariant<A> ? true : false) : false
declare function same<A, B>(is: Same<A, B>): void

declare const vault: Vault
declare const options: VaultOptions
const alice: Subject = vault.tenant('acme').subject('alice')
const email = field('users', 'email', z.email())
const profile = field('users', 'profile', z.object({ age: z.number(), tags: z.array(z.string()) }))

export async function values(): Promise<void> {
  same<typeof email, Field<string>>(true)
  const stored = await alice.encrypt(email, 'ada@example.com')
  same<typeof stored, Encrypted<string>>(true)
  const read = await alice.decrypt(email, stored)
  same<typeof read, string>(true)
  const person = await alice.decrypt(profile, await alice.encrypt(profile, { age: 1, tags: [] }))
  same<typeof person, { age: number; tags: string[] }>(true)

  // Stored values come back from stores as plain bytes or as text.
  await alice.decrypt(email, new Uint8Array(60))
  await alice.decrypt(email, encryptedToText(stored))
  await alice.decrypt(email, stored, { record: 5n })

  // @ts-expect-error a value of another type
  await alice.encrypt(email, 5)
  // @ts-expect-error a value of another type
  await alice.encrypt(profile, { age: '1', tags: [] })
  // @ts-expect-error no field
  await alice.encrypt('email', 'ada@example.com')
  // @ts-expect-error an option that there is not
  await alice.encrypt(email, 'x', { recrod: 5 })
  // @ts-expect-error a record that is none
  await alice.encrypt(email, 'x', { record: {} })
  // @ts-expect-error a number is no stored value
  await alice.decrypt(email, 5)
  // @ts-expect-error an Encrypted is no string
  const text: string = stored
  // @ts-expect-error a field is made with field()
  const made: Field<string> = { context: 'users', name: 'email', padded: false }
  return void [text, made]
}

export async function places(): Promise<void> {
  await alice.item('hubspot').encrypt(email, 'x')
  await vault.tenant('acme').self().item('hubspot').shred({ reason: 'operator' })
  const [keys] = await vault.tenant('acme').unlockMany(['alice'], { readOnly: true })
  same<typeof keys, UnlockedKeys | StrongroomError | undefined>(true)
  // @ts-expect-error who was refused has no keys
  keys?.dispose()
  // @ts-expect-error depth is fixed: an item has no items
  alice.item('hubspot').item('deeper')
  // @ts-expect-error a subject is not reached past its tenant
  vault.subject('alice')
  // @ts-expect-error a tenant encrypts nothing itself
  await vault.tenant('acme').encrypt(email, 'x')
  // @ts-expect-error a reason that there is not
  await alice.shred({ reason: 'because' })
  // @ts-expect-error names are text
  vault.tenant(5)
  const done = await alice.shred()
  same<typeof done.rootVersion, number>(true)
}

export async function handles(): Promise<void> {
  const keys: UnlockedKeys = await alice.unlock({ readOnly: true })
  const read = keys.decrypt(email, keys.encrypt(email, 'x'))
  same<typeof read, string>(true)
  keys.dispose()
  // @ts-expect-error an option that there is not
  await alice.unlock({ readonly: true })
}

export async function opening(): Promise<void> {
  await openVault(options)
  // @ts-expect-error stores are needed
  await openVault({ keyProviders: {}, defaultRegion: 'eu' })
  // @ts-expect-error an option that there is not
  await openVault({ ...options, cachebound: 5 })
  // @ts-expect-error not a store
  const store: KeyStore = {}
  for await (const info of vault.tenants.list()) same<typeof info, TenantInfo>(true)
  // @ts-expect-error what is known of a tenant is not for writing
  ;(await vault.tenants.get('acme'))!.region = 'us'
  return void store
}

export function explain(error: unknown): string {
  if (!(error instanceof StrongroomError)) return ''
  same<typeof error.code, StrongroomErrorCode>(true)
  // @ts-expect-error a code that there is not
  return error.code === 'shreded' ? 'gone' : error.code
}

export function secrets(): void {
  const token = new Secret('x')
  same<ReturnType<typeof token.reveal>, string>(true)
  // @ts-expect-error a secret is not the string that it holds
  const text: string = token
  // @ts-expect-error only reveal reads it
  return void [text, token.value]
}

export const watching: VaultOptions['onAccess'] = (access: Access) => {
  same<Access['operation'] extends string ? true : false, true>(true)
  // @ts-expect-error who and what, never a value
  return void access.value
}

same<Scalar extends undefined ? true : false, false>(true)
same<'subjectRequest' extends ReasonName ? true : false, true>(true)

export async function blindIndexes(): Promise<void> {
  const index = await vault.tenant('acme').blindIndex({ domain: 'users.email', normalize: 'email' })
  same<typeof index, BlindIndex>(true)
  const value = index.value('ada@example.com')
  same<typeof value, Uint8Array>(true)
  const found = await vault.findBlindIndex({ domain: 'users.age', generation: 2 })
  same<typeof found, BlindIndex | undefined>(true)

  // @ts-expect-error a normaliser that there is not
  await vault.blindIndex({ domain: 'users.email', normalize: 'mail' })
  // @ts-expect-error no domain
  await vault.blindIndex({ normalize: 'email' })
  // @ts-expect-error no scalar
  index.value({ a: 1 })
}
