/** A certificate in words, for the person whom it is about, or for whoever asks on their behalf. */

import { durationInWords, type ReasonName, type Survivor } from '@strongroom/core'

import type { ClosureCertificate, DestroyedRootVersion, ErasedKind, ErasedResource, HeldBack } from './certificate.ts'
import { instant, labelled, paragraph } from './lines.ts'
import { verifyCertificate } from './verify.ts'

const WHAT: Readonly<Record<ErasedKind, string>> = {
  tenant: 'the data of an organisation and of everybody in it',
  subject: 'the data of a person',
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
  confirmed: 'confirmed by the key provider',
  scheduled: 'as scheduled by the key provider',
  'operator-asserted': 'as the operator of the service asserts',
}

const SCOPES: Readonly<Record<NonNullable<Survivor['scope']>, string>> = {
  tenant: "a key of the organisation's",
  application: 'a key of the whole service',
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
  const { policy, resources, destruction, survivors } = said
  return [
    'CERTIFICATE OF ERASURE',
    '',
    ...paragraph(
      'The data described here was erased. The keys that it was encrypted with are destroyed, and no backup brings them back: what was encrypted can be read by nobody, wherever a copy of it is. The systems named below were searched, and nothing that they count was left; this says nothing of their backups, nor of what the service keeps unencrypted on purpose.',
    ),
    '',
    ...labelled('Erased', `${WHAT[said.kind]}, in region ${said.region}`),
    ...labelled('Reason', WHY[said.reason]),
    ...labelled('Reference', said.references.join(' / ')),
    ...labelled('Vault', said.vaultId),
    '',
    ...labelled('Asked for', instant(said.requestedAt)),
    ...labelled('Unreadable from', `${instant(said.suspendedAt)}, everywhere within ${durationInWords(policy.cacheBound)}`),
    ...labelled('Recoverable until', recoverableInWords(said)),
    ...(said.held === undefined ? [] : labelled('Held back', heldInWords(said.held))),
    ...labelled('Keys destroyed', `${instant(said.shreddedAt)} (${keysInWords(said)})`),
    ...labelled('Records removed', instant(said.erasedAt)),
    ...labelled('Keys in no backup', instant(said.closedAt)),
    '',
    'Records that were removed',
    ...listed(resources.map(resourceInWords), 'none: there were only keys to be destroyed'),
    '',
    'Root keys, without which backups of the keys cannot be opened',
    ...listed(destruction.map(destructionInWords), 'none'),
    '',
    `What outlived this erasure on ${instant(said.closedAt)}`,
    ...listed(
      survivors.map((each) => survivorInWords(each, said.closedAt)),
      'nothing that was found',
    ),
    '',
    ...paragraph(
      `This was promised within ${durationInWords(policy.deadline)}, and took ${durationInWords(wholeSeconds(said.closedAt - said.requestedAt))} from request to last backup.`,
    ),
    '',
    ...paragraph(
      `The erasure is entry ${said.ledger.n} of the ledger of the service. This text alone proves nothing: it was made from a signed certificate, which anybody can check with "strongroom verify-certificate" and the keys that the service has published.`,
    ),
    '',
  ].join('\n')
}

function recoverableInWords({ suspendedAt, dueAt, shreddedAt }: ClosureCertificate): string {
  if (dueAt <= suspendedAt) return 'at no time: no grace was given'
  return shreddedAt <= suspendedAt ? 'at no time: its keys were destroyed before' : instant(Math.min(dueAt, shreddedAt))
}

function heldInWords({ from, until }: HeldBack): string {
  return `a legal hold kept what was due from being erased, from ${instant(from)} until ${instant(until)} at least`
}

function keysInWords({ keyVersions, kind }: ClosureCertificate): string {
  if (keyVersions === 0) return 'there were none'
  return `${keyVersions} version${keyVersions === 1 ? '' : 's'}${kind === 'item' ? '' : ', with all beneath'}`
}

/** Rounded up, so that nothing was quicker than it says. */
function wholeSeconds(length: number): number {
  return Math.max(0, Math.ceil(length / 1000) * 1000)
}

function listed(texts: readonly string[], none: string): readonly string[] {
  return (texts.length === 0 ? [none] : texts).flatMap((text) => paragraph(text, '  '))
}

function resourceInWords({ name, found, verifiedAt }: ErasedResource): string {
  return `${name}: ${found} found, none left on ${instant(verifiedAt)}`
}

function destructionInWords({ number, level, effectiveAt, copiesUntil }: DestroyedRootVersion): string {
  const copies = copiesUntil > effectiveAt ? `; last copy gone by ${instant(copiesUntil)}` : ''
  return `number ${number}: destroyed ${instant(effectiveAt)}, ${LEVELS[level]}${copies}`
}

function survivorInWords({ what, name, count, scope, generation, until }: Survivor, closedAt: number): string {
  const many = count === undefined ? '' : ` (${count})`
  if (what === 'revocation') {
    if (until !== undefined && until <= closedAt)
      return `${name}${many}: access that was granted there, whose withdrawal was not confirmed; it was asked for until ${instant(until)}, and is no more`
    const ends = until === undefined ? '' : `; it is asked for until ${instant(until)}`
    return `${name}${many}: access that was granted there, whose withdrawal was not yet confirmed${ends}. Tokens are kept for that under another key`
  }
  const key = [...(scope === undefined ? [] : [SCOPES[scope]]), ...(generation === undefined ? [] : [`generation ${generation}`])]
  const ends = until === undefined ? 'while that key lives' : `until ${instant(until)}`
  return `${name}${many}: keyed hashes for searching, in backups, ${ends}${key.length === 0 ? '' : ` (${key.join(', ')})`}`
}
