/** What of a person outlives her erasure for some days: tokens whose revocation nobody has confirmed yet. */

import type { NamelessPlace, Survivor } from '@strongroom/core'

import type { RevocationOutbox, StoredRevocation } from '../revoke/outbox.ts'

// Anybody can have written what waits: a name that is nobody's here is not shown.
const OTHER = 'unknown'

/** For each provider how many, and until when at most. */
export async function waitingRevocations(
  outbox: RevocationOutbox,
  providers: ReadonlyMap<string, unknown>,
  { kind, references }: NamelessPlace,
): Promise<readonly Survivor[]> {
  const found = new Map<string, { count: number; until: number }>()
  for await (const waiting of outbox.list(kind === 'item' ? references.slice(0, -1) : references)) {
    const { provider, connection, until } = read(waiting)
    if (kind === 'item' && !connection?.endsWith(`/${references.join('/')}`)) continue
    const name = provider !== undefined && providers.has(provider) ? provider : OTHER
    const { count, until: latest } = found.get(name) ?? { count: 0, until: 0 }
    found.set(name, { count: count + 1, until: Math.max(latest, until) })
  }
  return [...found].map(([name, { count, until }]) => ({ what: 'revocation', name, count, until: until === 0 ? undefined : until }))
}

function read(waiting: { readonly until: number; readonly read: () => StoredRevocation }): {
  readonly provider?: string
  readonly connection?: string
  readonly until: number
} {
  const until = Number.isSafeInteger(waiting.until) && waiting.until > 0 ? waiting.until : 0
  try {
    const { provider, connection } = waiting.read().pending
    return { provider, connection, until }
  } catch {
    return { until }
  }
}
