/** A request in the hands of whoever has asked. */

import { invalidArgument } from '@strongroom/core'

import { verifyCertificate } from '../certificate/verify.ts'
import type { ErasureParts } from '../parts.ts'
import { readId } from '../records/keys.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import type { OpenState } from '../records/record.ts'
import { cancel, graceOver } from './cancel.ts'

/** How far a request is: `erased` once nothing is left in any resource, `closed` once no backup brings the keys back. */
export type ErasureState = OpenState | 'erased' | 'closed'

/** A request, as it was when it was read. */
export interface ErasureRequest {
  /** References and a random number: it names nobody. Keep it, to ask for the certificate. */
  readonly id: string
  readonly state: ErasureState
  /** Until then it can be taken back. UTC milliseconds. */
  readonly due: number
  /**
   * Takes it back: the place encrypts and decrypts again, unless somebody else had suspended it before.
   *
   * @throws StrongroomError `grace_over` (it is due, or its keys are being destroyed), `shredded` (its keys went by another way), `not_found` (it was
   *   taken back already), and as `resume`; repeat it then
   */
  cancel(): Promise<void>
  /** The same, as it is now; `undefined` where it was taken back. */
  refresh(): Promise<ErasureRequest | undefined>
}

/** @param id - of the request, for one that has ended meanwhile */
export function requestOf(parts: ErasureParts, erasure: OpenErasure): ErasureRequest {
  const { id, record } = erasure
  return {
    id,
    state: record.state,
    due: record.due,
    cancel: () => cancel(parts, erasure),
    refresh: () => readRequest(parts, id),
  }
}

/** @throws StrongroomError `invalid_argument` */
export async function readRequest(parts: ErasureParts, id: string): Promise<ErasureRequest | undefined> {
  const key = readId(id)
  if (key === undefined) throw invalidArgument('id', 'must be that of a request')
  // In the order in which it moves on, so that it is seen in one place or the next.
  const open = await parts.open.get(key)
  if (open !== undefined) return requestOf(parts, open)
  const ended = (state: ErasureState, due: number): ErasureRequest => ({
    id,
    state,
    due,
    cancel: () => Promise.reject(graceOver()),
    refresh: () => readRequest(parts, id),
  })
  const erased = await parts.ended.erased(key)
  if (erased !== undefined) return ended('erased', erased.value.dueAt)
  const certificate = await parts.ended.certificate(key)
  if (certificate === undefined) return undefined
  return ended('closed', verifyCertificate(certificate, await parts.vault.receiptKeys()).dueAt)
}
