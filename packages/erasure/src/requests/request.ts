/** Asking for an erasure. */

import { invalidArgument, randomBytes, readOptions, Reason, type ReasonName, type StateVersion, StrongroomError } from '@strongroom/core'

import type { ErasureParts } from '../parts.ts'
import { type Erasable, VaultPlace } from '../places/place.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import type { OpenRecord } from '../records/record.ts'
import { unlessAltered } from '../records/sealed-entries.ts'
import { destroyKeys, DUE_WHILE_HELD, heldBack } from '../sweep/destroy-keys.ts'
import { LEASE } from '../sweep/pauses.ts'
import { finishCancel } from './cancel.ts'
import { type ErasureRequest, readRequest, requestOf } from './handle.ts'
import { suspend } from './suspend.ts'

/** Options of `request`. */
export interface RequestOptions {
  /** It goes into the ledger, the receipt and the certificate. */
  readonly reason: ReasonName
  /** Milliseconds in which it can be taken back: at most those of the policy, which hold unless given. 0: at once, and for good. */
  readonly grace?: number | undefined
}

const MOST_ROUNDS = 20

/**
 * Notes it, suspends the place, and without grace destroys its keys. Asked again, it goes on where it stopped.
 *
 * @throws StrongroomError `not_found` where somebody else has taken it back meanwhile
 */
export async function request(parts: ErasureParts, place: Erasable, options: RequestOptions): Promise<ErasureRequest> {
  const { reason, grace } = checkOptions(parts, options)
  const { place: found, references } = await VaultPlace.of(parts.vault, place)
  for (let rounds = 1; rounds <= MOST_ROUNDS; rounds++) {
    const erasure = await findOrBegin(parts, found, references, { reason, grace })
    if (erasure === undefined || (await isOver(parts, erasure, found))) continue
    const left = await goOn(parts, erasure, grace)
    const answer = left === undefined ? await readRequest(parts, erasure.id) : requestOf(parts, left)
    if (answer === undefined) throw new StrongroomError('not_found', 'this request was taken back while it was made')
    return answer
  }
  throw new StrongroomError('conflict', 'others keep asking for this and taking it back; repeat it when they have stopped')
}

// One that does not open is nobody's request any more: this one takes its place, so that nobody comes back between the two.
async function findOrBegin(
  parts: ErasureParts,
  place: VaultPlace,
  references: readonly string[],
  options: RequestOptions,
): Promise<OpenErasure | undefined> {
  const entry = await parts.open.stored(references)
  if (entry === undefined) return begin(parts, place, references, { ...options, expected: 'absent' })
  const found = await parts.open.open(entry).catch(unlessAltered)
  if (found !== undefined) return found
  const begun = await begin(parts, place, references, { ...options, expected: entry.version })
  if (begun !== undefined) parts.tell({ type: 'replaced', id: begun.id })
  return begun
}

// Being taken back, which is ended first; or of somebody who is there, and so none of theirs: taken back, or put back from before.
async function isOver(parts: ErasureParts, erasure: OpenErasure, place: VaultPlace): Promise<boolean> {
  const { state } = erasure.record
  if (state === 'cancelling') {
    await finishCancel(parts, erasure).catch(unlessShredded)
    return true
  }
  if (state !== 'suspended' || (await place.state()) !== 'active') return false
  if (await parts.open.remove(erasure)) parts.tell({ type: 'superseded', id: erasure.id })
  return true
}

function unlessShredded(error: unknown): void {
  if (!(error instanceof StrongroomError && error.code === 'shredded')) throw error
}

// One that is there is never put off; whoever asks for less grace than the first has asked gets it.
async function goOn(parts: ErasureParts, given: OpenErasure, grace: number | undefined): Promise<OpenErasure | undefined> {
  const { confirmed, now } = await parts.time.both()
  const noted = await parts.open.change(given, (record) =>
    grace !== undefined && record.state !== 'shredding' && isSooner(now, grace, record)
      ? { changes: { grace, due: Math.min(now + grace, record.due) }, due: record.state === 'suspended' ? now + grace : 0 }
      : undefined,
  )
  const erasure = noted?.record.state === 'requested' ? await suspend(parts, noted, confirmed) : noted
  if (erasure === undefined || erasure.record.grace > 0) return erasure
  const { state, receipt } = erasure.record
  const isToBeDestroyed = state === 'suspended' || (state === 'shredding' && receipt === undefined)
  return isToBeDestroyed ? destroyNow(parts, erasure, confirmed) : erasure
}

// Without grace is at once, and asks no clock: one that is due already waits for a sweep all the same.
function isSooner(now: number, grace: number, record: OpenRecord): boolean {
  return now + grace < record.due || (grace === 0 && record.grace > 0)
}

async function destroyNow(parts: ErasureParts, erasure: OpenErasure, confirmed: number): Promise<OpenErasure> {
  // Due from now on: without grace it waits for no clock, and the first sweep behind the release goes on.
  if (erasure.record.state === 'suspended' && (await parts.holds.stand(erasure.references)))
    return parts.open.save(erasure, heldBack(parts, erasure, confirmed), DUE_WHILE_HELD)
  const destroyed = await destroyKeys(parts, erasure, confirmed)
  // The rest is for the next sweep, at once.
  return destroyed.how === 'destroyed' ? parts.open.saveClaimed(destroyed.erasure, {}, confirmed) : destroyed.erasure
}

async function begin(
  parts: ErasureParts,
  place: VaultPlace,
  references: readonly string[],
  { reason, grace = parts.options.policy.grace, expected }: RequestOptions & { readonly expected: StateVersion | 'absent' },
): Promise<OpenErasure | undefined> {
  const { region } = await place.tenantInfo()
  const { confirmed, now } = await parts.time.both()
  const record: OpenRecord = {
    nonce: Buffer.from(randomBytes(16)).toString('hex'),
    state: 'requested',
    names: place.names,
    region,
    reason,
    policy: parts.options.policy,
    grace,
    requested: now,
    due: now + grace,
    suspendedBefore: (await place.state()) === 'suspended',
    resources: [...parts.options.resources.keys()].map((name) => ({ name })),
  }
  // Whoever sweeps goes on with it, should this process end here.
  const begun = await parts.open.begin(references, record, { due: confirmed + LEASE, expected })
  await parts.options.failpoint('request.noted')
  return begun
}

function checkOptions({ options: { policy } }: ErasureParts, options: RequestOptions): RequestOptions {
  const { reason, grace } = readOptions(options, ['reason', 'grace'])
  const { retired: _, ...reasons } = Reason
  if (typeof reason !== 'string' || !Object.hasOwn(reasons, reason))
    throw invalidArgument('reason', `must be one of ${Object.keys(reasons).join(', ')}`)
  if (grace === undefined) return { reason }
  if (!Number.isSafeInteger(grace) || grace < 0 || grace > policy.grace)
    throw invalidArgument('grace', 'must be whole milliseconds, from 0 to the grace of the policy')
  return { reason, grace }
}
