/** A node of the key tree with its secrets in memory. */

import { wipe } from '../crypto/hash.ts'
import { XaesKey } from '../crypto/xaes-256-gcm.ts'
import { StrongroomError } from '../errors.ts'
import type { FieldName } from '../field.ts'
import { childSalt, childWrapKey, indexTag, noteKey, sealKey, type ServiceUse, serviceKey, valueTag } from '../format/derivations.ts'
import { hex } from '../format/bytes.ts'
import { valueHeader } from '../format/encrypted-value.ts'
import { KeyState, type LiveVersion, type NodeRecord } from '../format/records.ts'
import { Aging, type Instant } from './key-cache.ts'

/** What values of one context begin with. */
interface Header {
  readonly context: string
  readonly bytes: Uint8Array
}

// A program has a few contexts, and uses most keys with one of them.
const MOST_HEADERS = 8

/** What makes blind index values. */
export interface IndexKey {
  readonly tag: Uint8Array
  readonly key: Uint8Array
}

/** A version that is gone: enough to say so for a value of its own. */
export interface GoneVersion {
  readonly version: number
  readonly commitment: Uint8Array
  /** A rotation has left it behind: whose it is lives. */
  readonly isRetired: boolean
}

/** One live version of a node's key. */
export class OpenVersion {
  readonly version: number
  readonly state: LiveVersion['state']
  readonly commitment: Uint8Array
  readonly parentCommitment: Uint8Array
  readonly #secret: Uint8Array
  // Made when they are needed: a rotation opens every key there is, and seals nothing with it.
  #headers: Header[] | undefined
  #wrapKeys: Map<string, XaesKey> | undefined
  #sealKey: XaesKey | undefined
  #indexKey: IndexKey | undefined
  #alive = true

  constructor(live: Pick<LiveVersion, 'version' | 'state' | 'commitment' | 'parentCommitment'>, secret: Uint8Array) {
    this.version = live.version
    this.state = live.state
    this.commitment = live.commitment
    this.parentCommitment = live.parentCommitment
    this.#secret = secret
  }

  /** The key that seals values, its schedule kept. */
  sealKey(): XaesKey {
    const secret = this.#usable()
    this.#sealKey ??= derive(secret, sealKey, (key) => new XaesKey(key))
    return this.#sealKey
  }

  /** What its values of a context begin with: version ‖ tag. */
  header({ context, contextBytes }: FieldName): Uint8Array {
    this.#headers ??= []
    for (const known of this.#headers) if (known.context === context) return known.bytes
    const bytes = valueHeader(valueTag(this.commitment, contextBytes))
    if (this.#headers.length === MOST_HEADERS) this.#headers.shift()
    this.#headers.push({ context, bytes })
    return bytes
  }

  /** The key that wraps children under one wrapping key, its schedule kept. */
  wrapKey(wrappingKeyId: Uint8Array, wrappingKey: Uint8Array): XaesKey {
    const secret = this.#usable()
    const id = hex(wrappingKeyId)
    this.#wrapKeys ??= new Map()
    let key = this.#wrapKeys.get(id)
    if (key === undefined) {
      key = derive(
        secret,
        (parent) => derive(parent, childSalt, (salt) => childWrapKey(wrappingKey, salt)),
        (bytes) => new XaesKey(bytes),
      )
      this.#wrapKeys.set(id, key)
    }
    return key
  }

  noteKey(): Uint8Array {
    return noteKey(this.#usable())
  }

  serviceKey(use: ServiceUse): Uint8Array {
    return serviceKey(this.#usable(), use)
  }

  /** The service key of use `index` with its tag, kept: to be used in the same turn, and not to be changed. */
  indexKey(): IndexKey {
    const secret = this.#usable()
    this.#indexKey ??= { tag: indexTag(this.commitment), key: serviceKey(secret, 'index') }
    return this.#indexKey
  }

  /** The secret, for wrapping it anew and for nothing else. */
  secretForWrapping(): Uint8Array {
    return this.#usable()
  }

  destroy(): void {
    this.#alive = false
    wipe(this.#secret)
    for (const key of this.#wrapKeys?.values() ?? []) key.destroy()
    this.#wrapKeys = undefined
    this.#sealKey?.destroy()
    this.#sealKey = undefined
    if (this.#indexKey !== undefined) wipe(this.#indexKey.key)
    this.#indexKey = undefined
  }

  // A wiped secret is all zeros: whatever was made with it would be readable by anyone.
  #usable(): Uint8Array {
    if (!this.#alive) throw droppedFromMemory()
    return this.#secret
  }
}

/** A node as it was read at one instant. */
export class OpenNode extends Aging {
  readonly record: NodeRecord
  /** Live versions in ascending order. */
  readonly versions: readonly OpenVersion[]
  /** Shredded and retired versions, and those whose parent version is one. */
  readonly gone: readonly GoneVersion[]
  /** The newest version's state; shredded where none is left. */
  readonly state: KeyState
  /** The version that encrypts, if there is one. */
  readonly active: OpenVersion | undefined

  constructor(record: NodeRecord, loaded: Instant, versions: readonly OpenVersion[], gone: readonly GoneVersion[]) {
    super(loaded)
    this.record = record
    this.versions = versions
    this.gone = gone
    this.state = versions.at(-1)?.state ?? KeyState.shredded
    this.active = versions.findLast((version) => version.state === KeyState.active)
  }

  protected override wipe(): void {
    for (const version of this.versions) version.destroy()
  }
}

/** For a key that was invalidated, evicted or wiped while someone held it. */
export function droppedFromMemory(): StrongroomError {
  return new StrongroomError('handle_expired', 'this key is no longer held in memory; open it again')
}

function derive<T>(secret: Uint8Array, step: (secret: Uint8Array) => Uint8Array, use: (key: Uint8Array) => T): T {
  const key = step(secret)
  try {
    return use(key)
  } finally {
    wipe(key)
  }
}
