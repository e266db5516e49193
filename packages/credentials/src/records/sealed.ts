/** The secrets of a connection, each encrypted under the connection's own item and bound to its record and version. */

import { type Encrypted, encryptedToText, field, type Field, type Item, type UnlockedKeys } from '@strongroom/core'
import { z } from 'zod'

import type { Secrets } from '../kinds/kinds.ts'
import type { ConnectionRecord } from './record.ts'

/** What is known of a connection without its tokens; personal, and so encrypted too. */
export interface About {
  readonly name: string
  /** Whose account it is in the other system, as the caller says it: an address, a workspace. */
  readonly account?: string | undefined
  readonly scopes?: readonly string[] | undefined
}

const CONTEXT = 'strongroom/connections'
const aboutForm: z.ZodType<About> = z.strictObject({
  name: z.string(),
  account: z.string().optional(),
  scopes: z.array(z.string()).optional(),
})

const ABOUT: Field<About> = field(CONTEXT, 'about', aboutForm)
export const ACCESS: Field<string> = field(CONTEXT, 'access', z.string())
export const LASTING: Field<string> = field(CONTEXT, 'lasting', z.string())

/** Which secrets they are: of this version, and for this provider alone. */
export type SealedAt = Pick<ConnectionRecord, 'provider' | 'item' | 'version'>

/** What the sealed values of one version of a connection are bound to. */
export function boundTo({ provider, item, version }: SealedAt): { readonly record: string } {
  return { record: `${provider}/${item}/${version}` }
}

/** Of a connection and all its versions. */
const boundToItem = ({ item }: Pick<ConnectionRecord, 'item'>): { readonly record: string } => ({ record: item })

export async function sealAbout(key: Item, record: Pick<ConnectionRecord, 'item'>, about: About): Promise<string> {
  return encryptedToText(await key.encrypt(ABOUT, about, boundToItem(record)))
}

export function openAbout(key: Pick<Item, 'decrypt'>, record: ConnectionRecord): Promise<About> {
  return key.decrypt(ABOUT, record.about, boundToItem(record))
}

/** The same with keys that are open. */
export function readAbout(keys: Pick<UnlockedKeys, 'decrypt'>, record: ConnectionRecord): About {
  return keys.decrypt(ABOUT, record.about, boundToItem(record))
}

export async function sealSecrets(
  key: Item,
  at: SealedAt,
  { access, lasting }: Secrets,
): Promise<Pick<ConnectionRecord, 'access' | 'lasting'>> {
  const keys = await key.unlock()
  try {
    return { ...sealed(keys, 'access', ACCESS, access, at), ...sealed(keys, 'lasting', LASTING, lasting, at) }
  } finally {
    keys.dispose()
  }
}

function sealed<K extends 'access' | 'lasting'>(
  keys: UnlockedKeys,
  member: K,
  as: Field<string>,
  value: string | undefined,
  at: SealedAt,
): { readonly [P in K]?: string } {
  if (value === undefined) return {}
  const stored: Encrypted<string> = keys.encrypt(as, value, boundTo(at))
  return { [member]: encryptedToText(stored) } as { readonly [P in K]?: string }
}

export async function openSecrets(key: Item, record: ConnectionRecord): Promise<Secrets> {
  const keys = await key.unlock({ readOnly: true })
  try {
    return readSecrets(keys, record)
  } finally {
    keys.dispose()
  }
}

/** The same with keys that are open. */
export function readSecrets(keys: Pick<UnlockedKeys, 'decrypt'>, record: ConnectionRecord): Secrets {
  return {
    access: record.access === undefined ? undefined : keys.decrypt(ACCESS, record.access, boundTo(record)),
    lasting: record.lasting === undefined ? undefined : keys.decrypt(LASTING, record.lasting, boundTo(record)),
  }
}
