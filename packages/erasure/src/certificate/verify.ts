/** Checking a closure certificate, anywhere: it takes no vault. */

import { invalidArgument, StrongroomError, verifyCertificateSignature, verifyReceipt } from '@strongroom/core'

import { decodeBody } from './body.ts'
import type { ClosureCertificate } from './certificate.ts'
import { agreesWithReceipt } from './receipt.ts'
import { fromText } from './text-form.ts'

/**
 * Checks a closure certificate: that keys of the vault that it is about, of these, have signed it and the receipt in it, that no byte was changed
 * (Ed25519, RFC 8032), and that it claims nothing before it was so. A key that a certificate brings along is never believed.
 *
 * @param trustedKeys - of one vault or of several, 48 bytes each, as `vault.receiptKeys()` gave them to be published
 * @throws StrongroomError `certificate_invalid`, `invalid_argument`
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { verifyCertificate } from '@strongroom/erasure'
 *
 * async function whenGone(vault: Vault, certificate: string) {
 *   const { closedAt, resources } = verifyCertificate(certificate, await vault.receiptKeys())
 *   console.log(`gone since ${new Date(closedAt).toISOString()}, from ${resources.map(({ name }) => name).join(', ')}`)
 * }
 * ```
 */
export function verifyCertificate(certificate: string, trustedKeys: readonly Uint8Array[]): ClosureCertificate {
  if (typeof certificate !== 'string') throw invalidArgument('certificate', 'must be the text of a closure certificate')
  const parts = fromText(certificate)
  // The keys are checked in any case: a wrong argument is never the certificate's fault.
  const none = { body: new Uint8Array(), publicKey: new Uint8Array(32), signature: new Uint8Array(64) }
  const { body, ...signature } = parts ?? none
  const vaultId = verifyCertificateSignature(body, signature, trustedKeys)
  const said = vaultId === undefined ? undefined : decodeBody(body)
  if (said === undefined || said.vaultId !== vaultId || !hasReceipt(said, trustedKeys))
    throw new StrongroomError('certificate_invalid', 'no trusted key has signed this certificate, or it was altered: it proves nothing')
  return said
}

function hasReceipt(said: ClosureCertificate, trustedKeys: readonly Uint8Array[]): boolean {
  try {
    return agreesWithReceipt(said, verifyReceipt(said.receipt, trustedKeys))
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'receipt_invalid') return false
    throw error
  }
}
