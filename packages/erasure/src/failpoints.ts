/** Named places in the protocols at which a test may stop, kill or look at a process. */

/** Every place, in the order in which an erasure passes them. */
export const FAILPOINTS = [
  'request.noted',
  'request.suspended',
  'request.entered',
  'cancel.noted',
  'cancel.resumed',
  'cancel.removed',
  'sweep.claimed',
  'shred.noted',
  'shred.counted',
  'shred.done',
  'shred.entered',
  'resource.erased',
  'resource.noted',
  'erased.verified',
  'erased.put',
  'erased.marked',
  'erased.removed',
  'closed.signed',
  'closed.put',
  'closed.removed',
  'closed.unmarked',
  'hold.put',
  'release.noted',
  'release.removed',
] as const
export type Failpoint = (typeof FAILPOINTS)[number]

/** Called at each of them; what it returns is waited for. */
export type AtFailpoint = (name: Failpoint) => Promise<void> | void

/** The option of `createErasure` that no user has: `withFailpoints` of the testing entry sets it. */
export const AT_FAILPOINT: unique symbol = Symbol('strongroom erasure failpoint')
