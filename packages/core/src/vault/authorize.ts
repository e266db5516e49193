/** The one gate that every operation passes. */

import type { Clock } from '../clock.ts'
import { StrongroomError, vaultClosed } from '../errors.ts'
import { KeyState } from '../format/records.ts'
import type { KeyPath } from '../keys/keys-in-memory.ts'
import type { OpenNode } from '../keys/open-node.ts'
import type { Providers } from '../keys/providers.ts'
import { stateError } from '../keys/seal-value.ts'

/** What can be done with a vault. */
export type OperationName =
  | 'encrypt'
  | 'decrypt'
  | 'decryptBeforeShred'
  | 'unlock'
  | 'index.open'
  | 'index.value'
  | 'pseudonym.open'
  | 'pseudonym.value'
  | 'pseudonym.reverse'
  | 'state'
  | 'shred'
  | 'shredDamaged'
  | 'recreate'
  | 'suspend'
  | 'resume'
  | 'tenant.create'
  | 'tenant.get'
  | 'tenant.list'
  | 'rotateRootKey'
  | 'rotateTenantKey'
  | 'rotateSubjectKey'
  | 'retireVersion'
  | 'closeEpoch'
  | 'status'
  | 'finality'
  | 'verifyKeys'
  | 'reconcile'
  | 'repairLedger'
  | 'receiptKeys'
  | 'signCertificate'

/** One operation, as `onAccess` sees it: who and what, never a value. */
export interface Access {
  readonly operation: OperationName
  readonly tenant?: string | undefined
  readonly subject?: string | undefined
  readonly item?: string | undefined
  /** In place of the names of tenant and subject, where they were given by references: these, joined by `/`. */
  readonly reference?: string | undefined
  /** `context.name` of a field, the domain of a blind index, or the purpose of a pseudonym. */
  readonly field?: string | undefined
  /** Why, where the operation asks for it: for `pseudonym.reverse`, as its caller has said. */
  readonly reason?: string | undefined
  readonly region?: string | undefined
  /** UTC milliseconds. */
  readonly at: number
}

/** What an operation is about, as logs and audits name it: a field, the domain of a blind index, the purpose of a pseudonym. */
export interface Labelled {
  readonly label: string
  readonly reason?: string
}

/** Whose data an operation is about. */
export type Whose = Pick<Access, 'tenant' | 'subject' | 'item' | 'reference'>

/** A place by its names. `subject` is undefined for a tenant and for what belongs to the tenant itself, `item` for all but items. */
export type PlaceNames = Omit<Whose, 'reference'>

export interface GateOptions {
  readonly clock: Clock
  readonly providers: Providers
  readonly onAccess: ((access: Access) => void) | undefined
}

export class Gate {
  readonly #options: GateOptions
  #open = true

  constructor(options: GateOptions) {
    this.#options = options
  }

  close(): void {
    this.#open = false
  }

  /** @throws StrongroomError `vault_closed` */
  requireOpen(): void {
    if (!this.#open) throw vaultClosed()
  }

  /**
   * Lets an operation begin, or throws: before any key is made for it.
   *
   * @param region - of what it will touch, where it touches one
   * @throws StrongroomError `vault_closed`, `region_refused`, `denied`
   */
  authorize(operation: OperationName, whose: Whose, region: string | undefined, about?: Labelled): void {
    this.requireOpen()
    if (region !== undefined) this.#options.providers.require(region)
    const { onAccess } = this.#options
    if (onAccess === undefined) return
    const reason = about?.reason
    this.#tell(onAccess, { operation, ...whose, field: about?.label, region, ...(reason === undefined ? {} : { reason }) })
  }

  /**
   * Lets an operation use keys, by their states. Asked in the same turn as they are used.
   *
   * @throws StrongroomError `vault_closed`, `suspended`, `shredded`, `deactivated`
   */
  requireState(operation: OperationName, { tenant, nodes }: KeyPath): void {
    this.requireOpen()
    requireNodeState(operation, tenant.node)
    for (const node of nodes) requireNodeState(operation, node)
  }

  // Whoever listens decides as well: what it cannot note does not happen.
  #tell(onAccess: (access: Access) => void, access: Omit<Access, 'at'>): void {
    let answer: unknown
    try {
      answer = onAccess({ ...access, at: this.#options.clock.now() })
    } catch (error) {
      throw new StrongroomError('denied', 'onAccess threw, so the operation was refused', { cause: error })
    }
    if (!(answer instanceof Promise)) return
    // What it will say comes too late to be heeded, and must not bring the process down either.
    answer.catch(() => undefined)
    throw new StrongroomError('denied', 'onAccess must be synchronous: it returned a promise, so the operation was refused')
  }
}

// A suspended node suspends all beneath it. Shredded versions are told apart by the tag of each value, not here.
function requireNodeState(operation: OperationName, node: OpenNode): void {
  if (node.state === KeyState.suspended && operation !== 'decryptBeforeShred') throw stateError(KeyState.suspended)
  if (operation === 'encrypt' && node.active === undefined) throw stateError(node.state)
}
