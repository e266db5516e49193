/** Keys of connections that are in use, held for the next use: under the cache bound of the vault, like every handle. */

import { Secret, StrongroomError, type UnlockedKeys } from '@strongroom/core'

import type { ConnectionRecord } from '../records/record.ts'
import { ACCESS, boundTo, LASTING } from '../records/sealed.ts'

/** A record as it was read, with the keys to it. */
interface WarmConnection {
  readonly record: ConnectionRecord
  readonly keys: UnlockedKeys
}

/** An access token, or the secret of a kind that has none, and which version of the connection it is of. */
export interface LiveToken {
  readonly version: number
  readonly token: Secret<string>
}

export class WarmConnections {
  readonly #most: number
  readonly #connections = new Map<string, WarmConnection>()

  constructor(most: number) {
    this.#most = most
  }

  /** `undefined` where it has to be read anew: never read, too old, or not fit for use. @throws StrongroomError `denied`, `suspended`, `decrypt_failed` */
  token(key: string, isFit: (record: ConnectionRecord) => boolean): LiveToken | undefined {
    const found = this.#connections.get(key)
    if (found === undefined) return undefined
    if (!isFit(found.record)) return this.#drop(key)
    try {
      return tokenOf(found)
    } catch (error) {
      this.#drop(key)
      if (error instanceof StrongroomError && error.code === 'handle_expired') return undefined
      throw error
    }
  }

  /** @param keys - which are let go with it */
  keep(key: string, warm: WarmConnection): LiveToken {
    this.#drop(key)
    const token = tokenOf(warm)
    this.#connections.set(key, warm)
    const [oldest] = this.#connections.keys()
    if (this.#connections.size > this.#most && oldest !== undefined) this.#drop(oldest)
    return token
  }

  drop(key: string): void {
    this.#drop(key)
  }

  #drop(key: string): undefined {
    this.#connections.get(key)?.keys.dispose()
    this.#connections.delete(key)
  }
}

function tokenOf({ record, keys }: WarmConnection): LiveToken {
  const [as, stored] = record.access === undefined ? [LASTING, record.lasting] : [ACCESS, record.access]
  if (stored === undefined) throw new StrongroomError('reauthorisation_required', NO_SECRET)
  return { version: record.version, token: new Secret(keys.decrypt(as, stored, boundTo(record))) }
}

const NO_SECRET = 'this connection holds no secret; have the customer connect again'
