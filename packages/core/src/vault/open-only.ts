/** The state store of a vault, for as long as the vault is open: closing closes the stores that came with it. */

import type { StateStore } from '../keys/state-store.ts'
import type { Gate } from './authorize.ts'

/** @returns the same store; each call throws `vault_closed` once the vault is closed, also what was under way and failed of that */
export function openOnly(store: StateStore, gate: Gate): StateStore {
  async function whileOpen<T>(call: () => Promise<T>): Promise<T> {
    gate.requireOpen()
    try {
      return await call()
    } catch (error) {
      gate.requireOpen()
      throw error
    }
  }
  return {
    get: (namespace, key) => whileOpen(() => store.get(namespace, key)),
    put: (namespace, key, value, options) => whileOpen(() => store.put(namespace, key, value, options)),
    delete: (namespace, key, options) => whileOpen(() => store.delete(namespace, key, options)),
    due: (namespace, before, limit, after) => whileOpen(() => store.due(namespace, before, limit, after)),
    scan: (namespace, prefix, options) => whileOpen(() => store.scan(namespace, prefix, options)),
  }
}
