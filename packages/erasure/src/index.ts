export type {
  CertificateFacts,
  ClosureCertificate,
  DestroyedRootVersion,
  ErasedKind,
  ErasedResource,
  ErasureInstants,
  HeldBack,
} from './certificate/certificate.ts'
export { verifyCertificate } from './certificate/verify.ts'
export { certificateToText } from './certificate/to-text.ts'
export { definePolicy, type Policy, type PolicyOptions, type PolicyTerms, type PolicyTimes } from './policy/policy.ts'
export { createErasure, type Erasure } from './erasure.ts'
export type { ErasureOptions } from './options.ts'
export type { ErasureEvent, EventErasure, OnEvent } from './events.ts'
export type { Erasable } from './places/place.ts'
export type { ErasureRequest, ErasureState } from './requests/handle.ts'
export type { RequestOptions } from './requests/request.ts'
export type { Hold } from './holds/holds.ts'
export type { HoldOptions, HoldResult } from './holds/hold.ts'
export type { PendingErasure, WaitsFor } from './list.ts'
export type { ErasedNames, Failure, OpenState, ResourceProgress } from './records/record.ts'
export { sweep, type SweepAllOptions, type Swept } from './sweep-all.ts'
export type { ReplayedResource, ReplayReport } from './replay/replay.ts'
