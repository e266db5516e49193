export type {
  CertificateFacts,
  ClosureCertificate,
  DestroyedRootVersion,
  ErasedKind,
  ErasedResource,
  ErasureInstants,
} from './certificate/certificate.ts'
export { definePolicy, type Policy, type PolicyOptions, type PolicyTerms, type PolicyTimes } from './policy/policy.ts'
