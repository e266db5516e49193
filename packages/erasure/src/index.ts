export type {
  CertificateFacts,
  ClosureCertificate,
  DestroyedRootVersion,
  ErasedKind,
  ErasedResource,
  ErasureInstants,
} from './certificate/certificate.ts'
export { verifyCertificate } from './certificate/verify.ts'
export { certificateToText } from './certificate/to-text.ts'
export { definePolicy, type Policy, type PolicyOptions, type PolicyTerms, type PolicyTimes } from './policy/policy.ts'
