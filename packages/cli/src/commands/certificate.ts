/** `strongroom certificate`: the closure certificate of an erasure, or what it says in words. */

import { resolve } from 'node:path'

import { StrongroomError } from '@strongroom/core'
import type { Command } from 'commander'

import { CliError } from '../cli-error.ts'
import { erasureId, type SharedFlags, withVaultFlags } from '../flags.ts'
import { newOrSameFile } from '../new-file.ts'
import { optionalPackage } from '../optional-package.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { openErasure } from './erasure-of.ts'

interface Flags extends SharedFlags {
  readonly text?: boolean
  readonly out?: string
}

export function addCertificate(program: Command, runner: Runner): void {
  const command = program
    .command('certificate')
    .summary('print the closure certificate of an erasure')
    .description(
      'print the signed closure certificate of an erasure that is closed; with --text what it says in words, to be sent to the person, once the keys of the vault have checked it. strongroom verify-certificate checks it elsewhere',
    )
    .argument('<id>', 'the id of the erasure, as strongroom erase printed it', erasureId)
    .option('--text', 'what it says in words (default: the certificate itself)')
    .option('--out <file>', 'write it into this new file (default: to stdout)')
  withVaultFlags(command).action((id: string, flags: Flags) =>
    runner.run('certificate', flags, (session) => certificate(session, id, flags)),
  )
}

async function certificate(session: Session, id: string, { text = false, out }: Flags): Promise<Outcome> {
  const { vault, erasure } = await openErasure(session)
  const found = await erasure.certificate(id)
  if (found === undefined) throw await withoutCertificate(erasure, id)
  const { certificateToText } = await optionalPackage('@strongroom/erasure', () => import('@strongroom/erasure'))
  // Checked either way: what the state store holds is handed out as the vault's own word.
  const words = certificateToText(found, await vault.receiptKeys())
  const given = text ? words.trimEnd() : found
  const summary = { id, certificate: found, ...(text ? { text: words } : {}) }
  if (out === undefined) return { lines: given.split('\n'), summary, isOutput: true }
  const file = await newOrSameFile(resolve(session.directory, out))
  try {
    await file.write(`${given}\n`)
  } finally {
    await file.discard()
  }
  return { lines: [`the certificate is in ${out}`], summary: { ...summary, file: out } }
}

async function withoutCertificate(erasure: Pick<Awaited<ReturnType<typeof openErasure>>['erasure'], 'get'>, id: string): Promise<Error> {
  const request = await erasure.get(id)
  if (request === undefined)
    return new StrongroomError('not_found', 'there is no erasure of that id: it was taken back, or never asked for')
  return new CliError('not_closed', `it has no certificate yet: it is ${request.state}; strongroom erasures says what it waits for`)
}
