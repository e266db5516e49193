/** Telling the ledger of root versions that a provider has made by itself. */

import type { KeyContext } from '../keys/key-context.ts'

/**
 * Announces every live root version between two numbers, both left out. A shred may have to outlive any of them, so a close has to destroy
 * all, and it destroys what is known.
 *
 * @throws StrongroomError `wrong_root_key`, and what stores and provider throw
 */
export async function announceLive(context: KeyContext, region: string, after: number, before: number = Infinity): Promise<void> {
  const listed = await context.providers.versions(region)
  for (const { number, id, state } of listed.toSorted((a, b) => a.number - b.number))
    if (state === 'live' && number > after && number < before) await context.announce(region, { number, id })
}
