/**
 * What has to be done before the keys of a person or a tenant go: tokens that are encrypted under them have to be put by for their revocation.
 * Who does it is a package of its own; that there is something to be done, this says from the stores alone, so that no process forgets it.
 */

import { hex } from '../format/bytes.ts'
import { invalidArgument, StrongroomError } from '../errors.ts'
import { NodeKind } from '../format/records.ts'
import type { KeyOperations, NodePlaceRef } from '../keys/shred.ts'
import type { StateStore } from '../keys/state-store.ts'
import { hasEntries, mayHaveEntries, prefixOf } from './entries-beneath.ts'
import type { PlaceNames } from './authorize.ts'
import type { PeriodNotes } from './period-notes.ts'

/** A place that is about to be shredded. */
export interface PlaceToShred {
  /** From the tenant's down to its own, each of 32 hexadecimal digits. */
  readonly references: readonly string[]
  /** As far as whoever shreds it knows them. */
  readonly names: PlaceNames
}

/** The keys of a vault, who has to be heard before any go, and the notes of those that end by themselves. */
export interface VaultKeys extends KeyOperations {
  readonly notes: PeriodNotes
  readonly guards: ShredGuards
}

/** Who has to be heard. Both calls are repeated when the shred is, and must then do what is left. */
export interface ShredGuard {
  /** Before the keys go: what has to outlive them is durable when it resolves. What it throws keeps the keys. */
  before(places: readonly PlaceToShred[]): Promise<void>
  /** Once they are gone. */
  after(places: readonly PlaceToShred[]): Promise<void>
}

/**
 * Namespaces of the state store whose entries beneath a place have a guard. Their keys are the vault's id and the references from the tenant's
 * down, joined by `/`.
 */
export type GuardedNamespace = 'strongroom/connections'

const GUARDED: readonly GuardedNamespace[] = ['strongroom/connections']

export class ShredGuards {
  readonly #stateStore: StateStore
  readonly #vaultId: Uint8Array
  readonly #guards = new Map<GuardedNamespace, ShredGuard[]>()

  constructor(stateStore: StateStore, vaultId: Uint8Array) {
    this.#stateStore = stateStore
    this.#vaultId = vaultId
  }

  /** @throws StrongroomError `invalid_argument` */
  add(namespace: GuardedNamespace, guard: ShredGuard): void {
    if (!GUARDED.includes(namespace)) throw invalidArgument('namespace', `must be one of ${GUARDED.join(', ')}`)
    if (typeof guard?.before !== 'function' || typeof guard.after !== 'function')
      throw invalidArgument('guard', 'must have the methods before, after')
    this.#guards.set(namespace, [...(this.#guards.get(namespace) ?? []), guard])
  }

  /**
   * Has done what must be done first.
   *
   * @param places - of one tenant
   * @param isRequired - whether somebody has to be here who can
   * @returns what is to be called once the keys are gone: it looks anew, for what was made meanwhile
   * @throws StrongroomError `revocation_required` where nobody here can, and what the guards throw
   */
  async before(places: readonly PlaceToShred[], isRequired: boolean): Promise<() => Promise<void>> {
    await this.#each(places, (guard, affected) => guard.before(affected), isRequired)
    return () => this.#each(places, (guard, affected) => guard.after(affected), false)
  }

  async #each(
    places: readonly PlaceToShred[],
    call: (guard: ShredGuard, affected: readonly PlaceToShred[]) => Promise<void>,
    isRequired: boolean,
  ): Promise<void> {
    for (const namespace of GUARDED) {
      const guards = this.#guards.get(namespace) ?? []
      if (guards.length === 0 && !isRequired) continue
      const affected = await this.#withEntries(namespace, places)
      if (affected.length === 0) continue
      if (guards.length === 0) throw revocationRequired()
      for (const guard of guards) await call(guard, affected)
    }
  }

  async #withEntries(namespace: GuardedNamespace, places: readonly PlaceToShred[]): Promise<readonly PlaceToShred[]> {
    const [store, vaultId] = [this.#stateStore, this.#vaultId]
    const tenantRef = places[0]?.references[0]
    if (tenantRef === undefined || !(await mayHaveEntries(store, namespace, { vaultId, tenantRef, places: places.length }))) return []
    const has = await Promise.all(places.map(({ references }) => hasEntries(store, namespace, prefixOf(vaultId, references))))
    return places.filter((_, i) => has[i])
  }
}

function revocationRequired(): StrongroomError {
  return new StrongroomError(
    'revocation_required',
    'this has connections to other systems, and nothing in this process can revoke their tokens: call createCredentials with this vault first, or use shredWithoutRevocation',
  )
}

/** The references of a node from the tenant's down, as entries of the state store beneath it have them; `undefined` for what has none. */
export function referencesOf({ kind, ref, parentRef, tenantRef }: NodePlaceRef): readonly string[] | undefined {
  if (kind === NodeKind.tenant) return [hex(tenantRef)]
  if (kind === NodeKind.subject || kind === NodeKind.self) return [hex(tenantRef), hex(ref)]
  return kind === NodeKind.item ? [hex(tenantRef), hex(parentRef), hex(ref)] : undefined
}
