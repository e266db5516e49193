/** Blind indexes: equal values give equal bytes, to whoever holds the key, so that a database finds what it cannot read. */

import { invalidArgument } from '../errors.ts'
import { utf8 } from '../format/bytes.ts'
import { indexData, indexValue, type Normaliser } from '../format/index-value.ts'
import { normalisedScalar, normaliserOf, type Normalize } from '../format/normalise.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName } from '../format/reference.ts'
import type { Scalar } from '../format/scalar.ts'
import { required } from '../keys/key-tree.ts'
import type { Step } from '../keys/known-refs.ts'
import type { OpenNode, OpenVersion } from '../keys/open-node.ts'
import { stateError } from '../keys/seal-value.ts'
import { readOptions } from '../read-options.ts'
import { HANDLE_SHARE, HeldPath, type Holding, leaf } from './held-path.ts'
import type { Place } from './place.ts'

/** Options of blindIndex and findBlindIndex. */
export interface BlindIndexOptions {
  /**
   * What is compared with what: a declared name, such as `users.email`; 1 to 256 UTF-8 bytes. Values of two domains are never equal, and
   * each domain has a key of its own.
   */
  readonly domain: string
  /** What counts as equal (docs/format.md, "Normalisers"); without it only the very same value. */
  readonly normalize?: Normalize
  /** Which key of the domain, for moving an index to another one; from 1, which is the default. */
  readonly generation?: number
}

/**
 * An index key, open for synchronous use, for at most the cache bound.
 *
 * Whoever sees index values learns which records have equal values, and how often each occurs; without the key nobody can compute or
 * guess what they are. Compare what a search found with what was asked for once it is decrypted: an index value proves nothing by itself.
 *
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 *
 * async function indexValues(vault: Vault, numbers: readonly string[]) {
 *   const index = await vault.tenant('acme').blindIndex({ domain: 'users.phone', normalize: 'phone' })
 *   try {
 *     return numbers.map((number) => index.value(number))
 *   } finally {
 *     index.dispose()
 *   }
 * }
 * ```
 */
export interface BlindIndex {
  /**
   * The 21 bytes that stand for a value.
   *
   * @throws StrongroomError `invalid_argument` (no scalar, or nothing that the normaliser can make one thing of), `handle_expired`,
   *   `suspended`, `denied`
   */
  value(scalar: Scalar): Uint8Array
  /** Every call after this throws `handle_expired`. */
  dispose(): void
  [Symbol.dispose](): void
}

/** What has blind indexes: a tenant, whose values nobody can compare with another tenant's, and the vault, for all tenants at once. */
export interface BlindIndexes {
  /**
   * The key of a blind index, to write index values with; makes the key where there is none.
   *
   * @throws StrongroomError `invalid_argument`, `not_found` (no such tenant), `shredded`, `suspended`, `region_refused`, `denied`, and for
   *   key store and provider their `…_unavailable`
   */
  blindIndex(options: BlindIndexOptions): Promise<BlindIndex>
  /**
   * The key of a blind index, to search with: `undefined` where there is none, so that nothing can be indexed with it yet. Makes no key.
   *
   * @throws StrongroomError as `blindIndex`
   */
  findBlindIndex(options: BlindIndexOptions): Promise<BlindIndex | undefined>
}

const MAX_DOMAIN_BYTES = 256
const FIRST_GENERATION = 1
const MOST_GENERATION = 2 ** 32 - 1

interface Checked {
  readonly domain: string
  readonly domainBytes: Uint8Array
  readonly normaliser: Normaliser
  readonly generation: number
}

/** The blind indexes of a place: a tenant's, or the vault's own node. */
export function blindIndexes(place: Place): BlindIndexes {
  const open = (options: BlindIndexOptions, mint: boolean): Promise<BlindIndex | undefined> => {
    const checked = check(options)
    const held = place.below(new IndexStep(checked))
    const { gate, whose } = held
    const { inMemory } = place.keys.tree
    const holding: Holding = { inMemory, gate, opened: inMemory.now(), madeBy: 'blindIndex' }
    return held.use({ operation: 'index.open', about: { label: checked.domain }, mint, share: HANDLE_SHARE }, (path) => {
      if (path === undefined) return undefined
      activeOf(leaf(path))
      return new OpenBlindIndex(new HeldPath(holding, whose, path), checked)
    })
  }
  return {
    async blindIndex(options) {
      return required(await open(options, true))
    },
    async findBlindIndex(options) {
      return open(options, false)
    },
  }
}

class OpenBlindIndex implements BlindIndex {
  readonly #held: HeldPath
  readonly #about: { readonly label: string }
  readonly #normaliser: Normaliser
  readonly #data: Uint8Array

  constructor(held: HeldPath, { domain, domainBytes, normaliser }: Checked) {
    this.#held = held
    this.#about = { label: domain }
    this.#normaliser = normaliser
    this.#data = indexData(domainBytes, normaliser)
  }

  value(scalar: Scalar): Uint8Array {
    const canonical = normalisedScalar(this.#normaliser, scalar, 'value')
    const { tag, key } = activeOf(leaf(required(this.#held.use('index.value', this.#about)))).indexKey()
    return indexValue(tag, key, this.#data, canonical)
  }

  dispose(): void {
    this.#held.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function activeOf(node: OpenNode): OpenVersion {
  if (node.active === undefined) throw stateError(node.state)
  return node.active
}

// An index is opened for each search: its name in the tree is put together only where its reference is not known yet.
class IndexStep implements Step {
  readonly kind = NodeKind.service
  readonly key: string
  readonly #checked: Checked

  constructor(checked: Checked) {
    this.key = `${NodeKind.service} index ${checked.generation} ${checked.domain}`
    this.#checked = checked
  }

  get name(): Uint8Array {
    const { domainBytes, generation } = this.#checked
    return serviceName('index', domainBytes, { generation })
  }
}

function check(options: BlindIndexOptions): Checked {
  const { domain, normalize, generation = FIRST_GENERATION } = readOptions(options, ['domain', 'normalize', 'generation'])
  const domainBytes = typeof domain === 'string' && domain.length <= MAX_DOMAIN_BYTES ? utf8(domain, 'domain') : undefined
  if (typeof domain !== 'string' || domainBytes === undefined || domainBytes.length === 0 || domainBytes.length > MAX_DOMAIN_BYTES)
    throw invalidArgument('domain', `must be a string of 1 to ${MAX_DOMAIN_BYTES} bytes`)
  if (!Number.isSafeInteger(generation) || generation < FIRST_GENERATION || generation > MOST_GENERATION)
    throw invalidArgument('generation', 'must be a whole number from 1')
  return { domain, domainBytes, normaliser: normaliserOf(normalize), generation }
}
