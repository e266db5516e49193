/** The options of `createErasure`, checked. */

import { invalidArgument, readOptions, type Resource, type Vault } from '@strongroom/core'

import { printsAsName } from './certificate/body.ts'
import type { OnEvent } from './events.ts'
import { AT_FAILPOINT, type AtFailpoint } from './failpoints.ts'
import { definePolicy, type Policy, type PolicyTerms, termsOf } from './policy/policy.ts'

/** Options of {@link createErasure}. The same in every process. */
export interface ErasureOptions {
  /** What was promised: `definePolicy({ … })`. */
  readonly policy: Policy
  /** All that holds data of people outside of the key store. */
  readonly resources: readonly Resource[]
  readonly onEvent?: OnEvent
}

/** The options, complete. */
export interface CheckedErasureOptions {
  readonly policy: PolicyTerms
  readonly resources: ReadonlyMap<string, Resource>
  readonly onEvent: OnEvent
  readonly failpoint: AtFailpoint
}

const METHODS = ['count', 'erase', 'verify'] as const

/** @throws StrongroomError `invalid_argument` naming the option */
export function checkErasureOptions(vault: Vault, given: ErasureOptions): CheckedErasureOptions {
  const { [AT_FAILPOINT]: failpoint = () => undefined, ...plain } = (given ?? {}) as ErasureOptions & {
    readonly [AT_FAILPOINT]?: AtFailpoint
  }
  const { policy, resources, onEvent = () => undefined } = readOptions(plain, ['policy', 'resources', 'onEvent'])
  if (typeof policy !== 'object' || policy === null || typeof policy.times !== 'function')
    throw invalidArgument('policy', 'must be made with definePolicy')
  const terms = termsOf(definePolicy(termsOf(policy)))
  if (terms.cacheBound < vault.cacheBound) throw invalidArgument('policy.cacheBound', 'must be at least that which the vault was made with')
  if (typeof onEvent !== 'function') throw invalidArgument('onEvent', 'must be a function')
  return { policy: terms, resources: byName(resources), onEvent, failpoint }
}

function byName(resources: readonly Resource[] | undefined): ReadonlyMap<string, Resource> {
  if (!Array.isArray(resources)) throw invalidArgument('resources', 'must be a list; an empty one, where nothing else holds data of people')
  const found = new Map<string, Resource>()
  for (const resource of resources as readonly Resource[]) {
    if (typeof resource !== 'object' || resource === null || METHODS.some((method) => typeof resource[method] !== 'function'))
      throw invalidArgument('resources', `must each have ${METHODS.join(', ')}`)
    if (typeof resource.name !== 'string' || !printsAsName(resource.name))
      throw invalidArgument('resources', 'must each have a name of 1 to 256 characters that print')
    if (found.has(resource.name)) throw invalidArgument('resources', 'must each have a name of its own')
    found.set(resource.name, resource)
  }
  return found
}
