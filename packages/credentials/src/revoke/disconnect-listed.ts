/** Ending a connection that was found by going through those of somebody, or of a whole tenant. */

import { StrongroomError, type Subject, type Tenant, type Vault } from '@strongroom/core'

import { isNotConnected } from '../errors.ts'
import type { StoredConnection } from '../records/connection-store.ts'
import { readAbout } from '../records/sealed.ts'
import { disconnect, type Disconnected, type DisconnectOptions } from './disconnect.ts'
import { type Leaving, leavingByReference } from './leaving.ts'

/** What `disconnectAll` has done to one connection. */
export interface Disconnection extends Disconnected {
  /** As events call it. */
  readonly reference: string
  /** `undefined` where it cannot be read any more. */
  readonly name: string | undefined
}

/** @returns `undefined` where somebody else has just ended it */
export async function disconnectListed(
  vault: Vault,
  owner: Subject | Tenant,
  connection: StoredConnection,
  options: DisconnectOptions,
): Promise<Disconnection | undefined> {
  const found = leavingByReference(vault, connection)
  const name = await nameOf(found, connection)
  const { tenant = '', subject } = 'names' in owner ? owner.names() : {}
  const names = name === undefined || tenant === '' ? {} : { names: { tenant, subject, connection: name } }
  const leaving = { ...found, about: { ...found.about, ...names } }
  try {
    return { reference: found.about.reference, name, ...(await disconnect(leaving, options)) }
  } catch (error) {
    if (isNotConnected(error) && (await options.store.read(connection.key)) === undefined) return undefined
    throw error
  }
}

async function nameOf(leaving: Leaving, { record }: StoredConnection): Promise<string | undefined> {
  try {
    const keys = await leaving.itemOf(record).unlockBeforeShred()
    try {
      return readAbout(keys, record).name
    } finally {
      keys.dispose()
    }
  } catch (error) {
    if (error instanceof StrongroomError && ['shredded', 'retired', 'decrypt_failed'].includes(error.code)) return undefined
    throw error
  }
}
