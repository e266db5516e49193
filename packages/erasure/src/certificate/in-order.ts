/**
 * The instants of a certificate come from the clocks of several machines, which may disagree: here they are put into the order in which the steps
 * were. Whoever does a step has seen the one before it done, so an instant that is after that of a later step was of a clock that was ahead.
 */

import type { ClosureCertificate } from './certificate.ts'

type Instants = Pick<
  ClosureCertificate,
  'requestedAt' | 'suspendedAt' | 'dueAt' | 'shreddedAt' | 'erasedAt' | 'closedAt' | 'held' | 'resources'
>

/**
 * The same, each instant as it was wherever it can be so. The shred's stays: its receipt has it, so whatever followed is not before that. All
 * others are no later than what came after them.
 */
export function inOrder<T extends Instants>(said: T): T {
  const { shreddedAt } = said
  const closedAt = Math.max(said.closedAt, shreddedAt)
  const erasedAt = between(shreddedAt, said.erasedAt, closedAt)
  const dueAt = Math.min(said.dueAt, erasedAt)
  const requestedAt = Math.min(said.requestedAt, dueAt)
  // Where its keys had gone before anybody asked, nothing of it was decrypted from then on.
  const suspendedAt = Math.min(Math.max(said.suspendedAt, requestedAt), shreddedAt)
  const until = Math.min(said.held?.until ?? 0, erasedAt)
  const held = said.held && { from: Math.min(said.held.from, until), until }
  const resources = said.resources.map((each) => ({ ...each, verifiedAt: between(shreddedAt, each.verifiedAt, erasedAt) }))
  return { ...said, requestedAt, suspendedAt, dueAt, erasedAt, closedAt, held, resources }
}

/** Whether they are so already. */
export function isInOrder(said: Instants): boolean {
  const { requestedAt, suspendedAt, dueAt, erasedAt, closedAt, held, resources } = inOrder(said)
  return (
    requestedAt === said.requestedAt &&
    suspendedAt === said.suspendedAt &&
    dueAt === said.dueAt &&
    erasedAt === said.erasedAt &&
    closedAt === said.closedAt &&
    held?.from === said.held?.from &&
    held?.until === said.held?.until &&
    resources.every(({ verifiedAt }, i) => verifiedAt === said.resources[i]?.verifiedAt)
  )
}

function between(least: number, instant: number, most: number): number {
  return Math.min(Math.max(instant, least), most)
}
