/** Named places in the protocols at which a test may stop, kill or look at a process. */

/** Every place, in the order in which a refresh, a disconnect and a shred of whoever has connections pass them. */
export const FAILPOINTS = [
  'save.sealed',
  'save.stored',
  'refresh.intended',
  'refresh.answered',
  'refresh.sealed',
  'refresh.stored',
  'disconnect.queued',
  'disconnect.marked',
  'disconnect.shredded',
  'disconnect.removed',
  'shred.marked',
  'shred.removed',
  'revoke.claimed',
  'revoke.answered',
  'revoke.noted',
] as const
export type Failpoint = (typeof FAILPOINTS)[number]

/** Called at each of them; what it returns is waited for. */
export type AtFailpoint = (name: Failpoint) => Promise<void> | void

/** The option of `createCredentials` that no user has: `withFailpoints` of the testing entry sets it. */
export const AT_FAILPOINT: unique symbol = Symbol('strongroom credentials failpoint')
