/** Named places in the protocols at which a test may stop, kill or look at a process. */

/** Every place, in the order in which its operation passes them. */
export const FAILPOINTS = [
  // A shred.
  'shred.marked',
  'shred.entered',
  'shred.applied',
  'shred.marked-again',
  'shred.done',
  'recreate.entered',
  'recreate.stored',
  // A node made, a wrapping key made: what comes too late comes from here.
  'node.made',
  'node.stored',
  'wrapping-key.made',
  'wrapping-key.stored',
  // rotateRootKey and rotateTenantKey.
  'root.created',
  'root.announced',
  'wrap.made',
  'wrap.stored',
  'move.begun',
  'move.waited',
  'move.read',
  'move.rewrapped',
  'move.rescanned',
  'move.retired',
  'epoch.marked',
  // closeEpoch.
  'close.announced',
  'close.waited',
  'close.rescanned',
  'close.destroyed',
  'close.entered',
  'close.noted',
  // rotateSubjectKey and retireVersion.
  'version.stored',
  'version.waited',
  'child.moved',
  'version.counted',
] as const
export type Failpoint = (typeof FAILPOINTS)[number]

/** Called at each of them; what it returns is waited for. */
export type AtFailpoint = (name: Failpoint) => Promise<void> | void

/** The option of `openVault` that no user has: `failpointOption` of the testing entry sets it. */
export const AT_FAILPOINT: unique symbol = Symbol('strongroom failpoint')
