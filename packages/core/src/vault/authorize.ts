/** The one gate that every operation passes. */

import type { Clock } from '../clock.ts'
import { StrongroomError } from '../errors.ts'
import { KeyState } from '../format/records.ts'
import type { Field } from '../field.ts'
import type { OpenPath } from '../keys/key-tree.ts'
import type { OpenNode } from '../keys/open-node.ts'
import type { Providers } from '../keys/providers.ts'
import { stateError } from '../keys/seal-value.ts'

/** What can be done with a vault. */
export type OperationName =
  | 'encrypt'
  | 'decrypt'
  | 'unlock'
  | 'shred'
  | 'suspend'
  | 'resume'
  | 'tenant.create'
  | 'tenant.get'
  | 'tenant.list'

/** One operation, as `onAccess` sees it: who and what, never a value. */
export interface Access {
  readonly operation: OperationName
  readonly tenant?: string | undefined
  readonly subject?: string | undefined
  readonly item?: string | undefined
  /** `context.name` of a field. */
  readonly field?: string | undefined
  readonly region?: string | undefined
  /** UTC milliseconds. */
  readonly at: number
}

/** Whose data an operation is about, by name. */
export type Whose = Pick<Access, 'tenant' | 'subject' | 'item'>

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
    if (!this.#open) throw new StrongroomError('vault_closed', 'the vault was closed; open it again with openVault')
  }

  /**
   * Lets an operation through, or throws.
   *
   * @param path - the keys it will use, where they are open
   * @param region - of what it will touch, where no key is open yet
   * @throws StrongroomError `vault_closed`, `region_refused`, `suspended`, `shredded`, `deactivated`, `denied`
   */
  authorize(operation: OperationName, whose: Whose, path: OpenPath | undefined, field?: Field<unknown>, region?: string): void {
    this.requireOpen()
    const place = region ?? path?.tenant.node.record.region
    if (place !== undefined) this.#options.providers.require(place)
    if (path !== undefined) requireState(operation, path)
    if (this.#options.onAccess !== undefined) this.#tell(this.#options.onAccess, { operation, ...whose, field: field?.label, region: place })
  }

  // Whoever listens decides as well: what it cannot note does not happen.
  #tell(onAccess: (access: Access) => void, access: Omit<Access, 'at'>): void {
    try {
      onAccess({ ...access, at: this.#options.clock.now() })
    } catch (error) {
      throw new StrongroomError('denied', 'onAccess threw, so the operation was refused', { cause: error })
    }
  }
}

// A suspended node suspends all beneath it. Shredded versions are told apart by the tag of each value, not here.
function requireState(operation: OperationName, { tenant, nodes }: OpenPath): void {
  const uses = operation === 'encrypt' || operation === 'decrypt' || operation === 'unlock'
  if (!uses) return
  requireNodeState(operation, tenant.node)
  for (const node of nodes) requireNodeState(operation, node)
}

function requireNodeState(operation: OperationName, node: OpenNode): void {
  if (node.state === KeyState.suspended) throw stateError(KeyState.suspended)
  if (operation === 'encrypt' && node.active === undefined) throw stateError(node.state)
}
