/** Reading many entries of a state store by pages, so that memory stays the same however many there are. */

import type { DueEntry, StateEntry, StateStore } from './state-store.ts'

const PAGE = 500

/**
 * Those of a namespace whose key begins with something, in the order of their keys. Each page is read when the one before it was taken.
 *
 * @throws StrongroomError `state_store_unavailable`
 * @example
 * ```ts
 * import { scanEntries, type Vault } from '@strongroom/core'
 *
 * async function count({ id, stateStore }: Vault, namespace: string): Promise<number> {
 *   let entries = 0
 *   for await (const _ of scanEntries(stateStore, namespace, `${id}/`)) entries++
 *   return entries
 * }
 * ```
 */
export async function* scanEntries(store: StateStore, namespace: string, prefix: string): AsyncGenerator<StateEntry> {
  for (let after: string | undefined; ;) {
    const page = await store.scan(namespace, prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) })
    yield* page
    after = page.at(-1)?.key
    if (page.length < PAGE) return
  }
}

/**
 * Those of one vault in a namespace that are due, oldest first. Reads by pages: what nobody can do keeps nothing behind it from its turn.
 *
 * @param options - `vaultId` as `vault.id`: what entries' keys begin with, behind it a slash; `before` and `from`: UTC milliseconds, of which
 *   `from` leaves out what was due earlier; `limit`: of a page, 500 unless given
 * @throws StrongroomError `state_store_unavailable`
 * @example
 * ```ts
 * import { dueEntries, type Vault } from '@strongroom/core'
 *
 * async function anyDue({ id, stateStore, clock }: Vault, namespace: string): Promise<boolean> {
 *   for await (const _ of dueEntries(stateStore, namespace, { vaultId: id, before: clock.now() })) return true
 *   return false
 * }
 * ```
 */
export async function* dueEntries(
  store: StateStore,
  namespace: string,
  {
    vaultId,
    before,
    from,
    limit = PAGE,
  }: { readonly vaultId: string; readonly before: number; readonly from?: number | undefined; readonly limit?: number },
): AsyncGenerator<DueEntry> {
  for (let after: Pick<DueEntry, 'due' | 'key'> | undefined = from === undefined ? undefined : { due: from, key: '' }; ;) {
    const page = await store.due(namespace, before, limit, after)
    for (const entry of page) if (entry.key.startsWith(`${vaultId}/`)) yield entry
    after = page.at(-1)
    if (page.length < limit) return
  }
}
