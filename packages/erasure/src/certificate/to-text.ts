/** A certificate in words, for the person whom it is about, or for whoever asks on their behalf. */

import { durationInWords, type ReasonName, type Survivor } from '@strongroom/core'

import type { ClosureCertificate, DestroyedRootVersion, ErasedKind, ErasedResource } from './certificate.ts'
import { instant, labelled, paragraph } from './lines.ts'
import { verifyCertificate } from './verify.ts'

const WHAT: Readonly<Record<ErasedKind, string>> = {
  tenant: 'all data of an organisation and of everybody in it',
  subject: 'all data of a person',
  item: 'a part of the data of a person or an organisation',
  self: "an organisation's own data",
}

const WHY: Readonly<Record<ReasonName, string>> = {
  unspecified: 'no reason given',
  subjectRequest: 'the person has asked for it',
  accountDeleted: 'the account was deleted',
  retentionEnded: 'the time for which the data may be kept has ended',
  contractEnded: 'the contract has ended',
  compromise: 'a key may have been seen by others',
  operator: 'decided by the operator of the service',
}

const LEVELS: Readonly<Record<DestroyedRootVersion['level'], string>> = {
  confirmed: 'destroyed, as the key provider confirms',
  scheduled: 'destroyed by the key provider, as scheduled',
  'operator-asserted': 'destroyed, as the operator of the service asserts',
}

/**
 * Checks a certificate, and says in plain English what it says: lines of at most 78 characters, instants in UTC. Who the person is stands in
 * no certificate: add it where you send this.
 *
 * @param trustedKeys - as for `verifyCertificate`
 * @returns the text, ending with a line break
 * @throws StrongroomError as `verifyCertificate`
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { certificateToText } from '@strongroom/erasure'
 *
 * async function letter(vault: Vault, name: string, certificate: string) {
 *   return `Dear ${name},\n\n${certificateToText(certificate, await vault.receiptKeys())}`
 * }
 * ```
 */
export function certificateToText(certificate: string, trustedKeys: readonly Uint8Array[]): string {
  return certificateInWords(verifyCertificate(certificate, trustedKeys))
}

/** As `certificateToText`, of one that was checked. */
export function certificateInWords(said: ClosureCertificate): string {
  return [
    'CERTIFICATE OF ERASURE',
    '',
    ...paragraph(
      'The data described here was erased. Its encryption keys are destroyed, and no backup brings them back: copies of the data that are still in backups cannot be read by anybody.',
    ),
    '',
    ...labelled('Erased', `${WHAT[said.kind]}, in region ${said.region}`),
    ...labelled('Reason', WHY[said.reason]),
    ...labelled('Reference', said.references.join(' / ')),
    ...labelled('Vault', said.vaultId),
    '',
    ...labelled('Asked for', instant(said.requestedAt)),
    ...labelled('Unreadable from', `${instant(said.suspendedAt)}, ${durationInWords(said.policy.cacheBound)} later at the latest`),
    ...labelled('Grace ended', instant(said.dueAt)),
    ...labelled('Keys destroyed', `${instant(said.shreddedAt)}; ${versions(said.keyVersions)}`),
    ...labelled('Records erased', instant(said.erasedAt)),
    ...labelled('In no backup', instant(said.closedAt)),
    '',
    'Where records were looked for',
    ...(said.resources.length === 0 ? ['  nowhere: nothing but its keys was to be erased'] : said.resources.flatMap(resourceLines)),
    '',
    'What made copies in backups unreadable',
    ...said.destruction.flatMap(destructionLines),
    '',
    'What outlives this erasure',
    ...(said.survivors.length === 0 ? ['  nothing that was found'] : said.survivors.flatMap(survivorLines)),
    '',
    ...paragraph(
      `This was promised within ${durationInWords(said.policy.deadline)}: a grace of ${durationInWords(said.policy.grace)}, work begun every ${durationInWords(said.policy.sweep)}, keys turned every ${durationInWords(said.policy.epoch)}, copies of root keys kept for ${durationInWords(said.policy.copies)}. It took ${durationInWords(Math.max(0, said.closedAt - said.requestedAt))}.`,
    ),
    '',
    ...paragraph(
      `Entry ${said.ledger.n} of the ledger of the service is about this erasure. The certificate is signed, and can be checked without the service: strongroom verify-certificate, with the keys that the service has published. This text alone proves nothing.`,
    ),
    '',
  ].join('\n')
}

function versions(count: number): string {
  if (count === 0) return 'there were none'
  return count === 1 ? 'there was 1 version' : `there were ${count} versions`
}

function resourceLines({ name, found, verifiedAt }: ErasedResource): readonly string[] {
  return paragraph(`${name}: ${found} record${found === 1 ? '' : 's'} found, none left on ${instant(verifiedAt)}`, '  ')
}

function destructionLines({ number, level, effectiveAt, copiesUntil }: DestroyedRootVersion): readonly string[] {
  const copies = copiesUntil > effectiveAt ? `, its last copy gone by ${instant(copiesUntil)}` : ''
  return paragraph(`root key ${number}: ${LEVELS[level]}, ${instant(effectiveAt)}${copies}`, '  ')
}

function survivorLines({ what, name, count, scope, generation, until }: Survivor): readonly string[] {
  const ends = until === undefined ? 'until it is removed by hand' : `until ${instant(until)}`
  if (what === 'revocation')
    return paragraph(`access granted at ${name}, whose withdrawal the provider has not confirmed${times(count)}, ${ends}`, '  ')
  const whose = scope === undefined ? '' : scope === 'tenant' ? " of the organisation's" : ' of the whole service'
  const which = generation === undefined ? '' : `, generation ${generation}`
  return paragraph(`values in copies of the search index ${name}${whose}${which}${times(count)}, ${ends}`, '  ')
}

function times(count: number | undefined): string {
  return count === undefined ? '' : ` (${count})`
}
