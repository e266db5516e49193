/** Issuing a closure certificate: once no backup brings the keys back, and never before. */

import { invalidArgument, StrongroomError, type Vault, verifyReceipt } from '@strongroom/core'

import { decodeBody, encodeBody } from './body.ts'
import type { CertificateFacts, ClosureCertificate } from './certificate.ts'
import { inOrder } from './in-order.ts'
import { agreesWithReceipt } from './receipt.ts'
import { fromText, toText } from './text-form.ts'

/**
 * The one text of a certificate, signed. What the receipt of the shred says is taken from there, so that the two cannot differ.
 *
 * @throws StrongroomError `epoch_blocked` where `finality` is not final, `receipt_invalid`, `invalid_argument` for facts that are no
 *   certificate, and as `vault.signCertificate`
 */
export async function issueCertificate(vault: Vault, { finality, ...facts }: CertificateFacts): Promise<string> {
  if (!finality.final)
    throw new StrongroomError(
      'epoch_blocked',
      `older backups still bring the keys back: ${finality.blockedBy.join(', ')}; nothing was signed`,
    )
  const receipt = verifyReceipt(facts.receipt, await vault.receiptKeys())
  const said = inOrder<ClosureCertificate>({
    ...facts,
    vaultId: vault.id,
    region: receipt.region,
    keyVersions: receipt.versions,
    rootVersion: receipt.rootVersion,
    shreddedAt: receipt.instant,
    closedAt: finality.at,
    ledger: { n: receipt.ledger.n, hash: Buffer.from(receipt.ledger.hash).toString('hex') },
    destruction: finality.versions.filter(({ number }) => number <= receipt.rootVersion),
  })
  const body = encodeBody(said)
  if (decodeBody(body) === undefined) throw invalidArgument('facts', 'must be those of an erasure that has ended')
  if (!agreesWithReceipt(said, receipt)) throw invalidArgument('facts.receipt', 'must be that of the place, or of what it is beneath')
  const text = toText({ body, ...(await vault.signCertificate(body)) })
  if (fromText(text) === undefined) throw invalidArgument('facts', 'must be no more than a certificate can hold')
  return text
}
