/** The receipt that a certificate carries: that of its own place's shred, or of one above it. */

import type { ShredReceipt } from '@strongroom/core'

import type { ClosureCertificate } from './certificate.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Whether both say the same of the shred. */
export function agreesWithReceipt(said: ClosureCertificate, receipt: ShredReceipt): boolean {
  return (
    said.vaultId === hex(receipt.vaultId) &&
    said.region === receipt.region &&
    said.keyVersions === receipt.versions &&
    said.rootVersion === receipt.rootVersion &&
    said.shreddedAt === receipt.instant &&
    said.ledger.n === receipt.ledger.n &&
    said.ledger.hash === hex(receipt.ledger.hash) &&
    isOfPlace(said, receipt)
  )
}

function isOfPlace({ kind, references }: ClosureCertificate, receipt: ShredReceipt): boolean {
  const at = receipt.kind === 'tenant' ? 0 : receipt.kind === 'item' ? 2 : 1
  if (references[0] !== hex(receipt.tenantRef) || references[at] !== hex(receipt.ref)) return false
  const isOwn = at === references.length - 1
  return isOwn ? receipt.kind === kind : at === 0 || receipt.kind === 'subject' || receipt.kind === 'self'
}
