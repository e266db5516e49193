/** Issuing a closure certificate: once no backup brings the keys back, and never before. */

import type { Vault } from '@strongroom/core'

import type { CertificateFacts } from './certificate.ts'

/**
 * The one text of a certificate, signed.
 *
 * @throws StrongroomError `epoch_blocked` where `finality` is not final, `receipt_invalid`, `invalid_argument`, and as `vault.receiptKeys`
 */
export function issueCertificate(_vault: Vault, _facts: CertificateFacts): Promise<string> {
  throw new Error('not yet')
}
