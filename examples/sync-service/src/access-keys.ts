/**
 * The keys that this service issues to its customers. What is stored is a hash under a key of the organisation's own: who has the databases
 * can neither try keys nor write a row that would let them in.
 */

import { type BlindIndex, randomBytes, StrongroomError } from '@strongroom/core'

import { Refusal } from './errors.ts'
import type { Row } from './rows.ts'
import type { Store } from './store.ts'

export interface AccessKey extends Row {
  readonly _id: string
}

const WHAT = { domain: 'access-keys' } as const

/** @param organisation - which is a tenant of the vault. @returns the key to hand over; it cannot be had again */
export async function issueAccessKey({ vault, accessKeys }: Store, organisation: string): Promise<string> {
  const secret = Buffer.from(randomBytes(32)).toString('base64url')
  const index = await vault.tenant(organisation).blindIndex(WHAT)
  await accessKeys.insertOne({ _id: hashed(index, secret), orgId: organisation })
  return `${organisation}.${secret}`
}

/** @returns the organisation. @throws Refusal 401 */
export async function whoCalls({ vault, accessKeys }: Store, accessKey: string): Promise<string> {
  const [organisation = '', secret = ''] = accessKey.split('.')
  const index = await indexOf({ vault }, organisation)
  const found = index && (await accessKeys.findOne({ _id: hashed(index, secret) }))
  if (!found) throw new Refusal(401, 'access_key_invalid')
  return organisation
}

async function indexOf({ vault }: Pick<Store, 'vault'>, organisation: string): Promise<BlindIndex | undefined> {
  try {
    return await vault.tenant(organisation).findBlindIndex(WHAT)
  } catch (error) {
    // No such organisation, or none any more.
    if (error instanceof StrongroomError && ['invalid_argument', 'not_found', 'shredded'].includes(error.code)) return undefined
    throw error
  }
}

function hashed(index: BlindIndex, secret: string): string {
  const hash = Buffer.from(index.value(secret)).toString('base64url')
  index.dispose()
  return hash
}
