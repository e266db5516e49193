export { type Clock, systemClock } from './clock.ts'
export { readOptions, shownName } from './read-options.ts'
export { decryptFailed, invalidArgument, StrongroomError, type StrongroomErrorCode, type StrongroomErrorOptions } from './errors.ts'
export { Secret } from './secret.ts'
export { type Attempted, isAway, isOver, SweepTally } from './vault/sweep-tally.ts'
export type { ErasureProblem, Sweepable, SweepFailure, SweepOptions, SweepReport } from './sweepable.ts'
export { days, hours, minutes } from './durations.ts'
export { durationInWords, requireWithinDeadline, type DeadlineTerm } from './deadline.ts'
export {
  type DeadPlaces,
  type ErasedPlace,
  type NamedPlace,
  type NamelessPlace,
  type PlaceFate,
  type Replayed,
  type Resource,
  type ResourceOptions,
  type Survivor,
  requireErasedPlace,
  requireNamelessPlace,
} from './resource.ts'

export { type Encrypted, type Field, field, type FieldOptions, type PreviousName } from './field.ts'
export { valueToText as encryptedToText } from './format/encrypted-value.ts'
export { CanonicalScalar, type Scalar } from './format/scalar.ts'
export type { EncodedValue } from './format/frame.ts'
export type { ValueCodec } from './format/value-codec.ts'
export { jsonCodec } from './format/value-codec.ts'

export { type Normalize, requireIndexable } from './format/normalise.ts'

export { initVault } from './vault/init-vault.ts'
export { type NeverShredded, openVault, type Vault } from './vault/open-vault.ts'
export { repairLedger } from './vault/repair-ledger.ts'
export type { VaultOptions } from './vault/options.ts'
export type { Tenant, TenantInfo, Tenants } from './vault/tenants.ts'
export type { Item, Subject } from './vault/subject.ts'
export type { UnlockOptions } from './vault/unlock.ts'
export type { BlindIndex, BlindIndexes, BlindIndexOptions } from './vault/blind-index.ts'
export type { UnlockedKeys } from './vault/lease.ts'
export type { PeriodKey, PeriodKeyOptions } from './vault/period-key.ts'
export type { RawKeyHandling, RawKeyLease } from './vault/raw-key.ts'
export type { RawSubjectKeyOptions } from './vault/raw-subject-key.ts'
export type { PeriodSpan, RawPeriodKeys, RawPeriodKeysOptions } from './vault/raw-period-keys.ts'
export type { KnownItem } from './vault/known-item.ts'
export { keptEntryKey } from './vault/kept.ts'
export { findHold, holdKey } from './vault/holds.ts'
export { openErasureKey } from './vault/open-erasures.ts'
export type { RecreateOptions } from './vault/place.ts'
export type { ReasonName } from './vault/reason.ts'
export type { GuardedNamespace, PlaceToShred, ShredGuard } from './vault/shred-guards.ts'
export type { ShredOptions, TenantShredOptions } from './vault/shred-place.ts'
export { requireName } from './vault/names.ts'
export type { PlaceState } from './vault/place-state.ts'
export type { ValueOptions } from './vault/value-arguments.ts'
export type { Access, OperationName, PlaceNames } from './vault/authorize.ts'
export type { KeptUnder } from './format/receipt.ts'
export { type CertificateSignature, verifyCertificateSignature } from './vault/certificate-signature.ts'
export { type Shredded, type ShredReceipt, verifyReceipt } from './vault/shredded.ts'
export type { ShredManyOptions } from './vault/shred-many.ts'
export { type CloseEpochOptions, type Epochs, readEpochMarker, type RegionRunOptions, type RetireVersionOptions } from './vault/epochs.ts'
export type { FinalityOptions, Inspection, StatusOptions, VerifyKeysOptions } from './vault/inspection.ts'
export type { Progress, RunOptions } from './epochs/progress.ts'
export type { CloseEpochPhase } from './epochs/close-epoch.ts'
export type { RetirePhase, RetiringVersion, ValueHolder } from './epochs/retire-version.ts'
export type { RotateRootPhase } from './epochs/rotate-root.ts'
export type { RotateSubjectPhase } from './epochs/rotate-subject.ts'
export type { RotateTenantPhase } from './epochs/rotate-tenant.ts'
export type { ProviderStatus } from './epochs/provider-status.ts'
export type { ClosureBlocker, Finality, ShredStatus } from './epochs/shred-status.ts'
export type { RegionStatus, RootVersionStatus, RotationStatus, VaultStatus } from './epochs/status.ts'
export type { NodeCounts, RootVersionUse, WrappingKeyCounts } from './epochs/tally-keys.ts'
export type { KeyDamage, KeyFinding, KeyProblem, KeyReport } from './epochs/verify-keys.ts'

// The ports, for whoever writes a store or a provider, and the primitives that a provider needs.
export type { KeyProvider, ProviderVersion } from './keys/key-provider.ts'
export type { KeyStore, KeyStoreKey, KeyStoreQuery } from './keys/key-store.ts'
export type { DueEntry, StateEntry, StateStore, StateVersion } from './keys/state-store.ts'
export { dueEntries, scanEntries } from './keys/state-pages.ts'
export { KeyState, NodeKind, Reason } from './format/records.ts'
export type {
  Destruction,
  EpochMarker,
  KeyStoreRecord,
  KeyVersion,
  KnownRootVersion,
  LedgerNote,
  LedgerPosition,
  LiveVersion,
  NodeRecord,
  ProviderWrap,
  RegionRecord,
  RootVersion,
  ShreddedVersion,
  VaultRecord,
  WrappingKeyRecord,
} from './format/records.ts'
export { equalBytes, hkdfSha256, wipe } from './crypto/hash.ts'
export { randomBytes } from './crypto/random.ts'
export { xaesOpen, xaesSeal } from './crypto/xaes-256-gcm.ts'
