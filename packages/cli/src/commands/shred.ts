/** `strongroom shred`. */

import { resolve } from 'node:path'

import { type Item, Reason, type ReasonName, type Shredded, type Tenant, type Vault } from '@strongroom/core'
import { type Command, Option } from 'commander'

import { type SharedFlags, withDryRun, withVaultFlags, withYes } from '../flags.ts'
import { reserveFile } from '../new-file.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { count } from '../terminal/count.ts'
import { tenantInfo } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly reason: ReasonName
  readonly receipt?: string
  readonly dryRun?: boolean
}

/** What is to be shredded, by name. */
interface Place {
  readonly tenant: string
  readonly subject?: string | undefined
  readonly item?: string | undefined
}

export function addShred(program: Command, runner: Runner): void {
  const command = program
    .command('shred')
    .summary('destroy the key of a tenant, a subject or an item')
    .description(
      'destroy the key of a tenant, of a subject or of an item for good, and with it all that was encrypted under it and beneath it; in other processes within one cacheBound (60 s unless the vault was made with another), in backups once the epoch is closed',
    )
    .argument('<tenant>', 'the name of the tenant')
    .argument('[subject]', 'the name of the subject; without it the whole tenant')
    .argument('[item]', 'the name of the item; without it the whole subject')
    .addOption(new Option('--reason <name>', 'kept in the ledger and the receipt').choices(Object.keys(Reason)).default('unspecified'))
    .option('--receipt <file>', 'write the signed receipt into this new file (default: to stdout)')
  withVaultFlags(withYes(withDryRun(command))).action(
    (tenant: string, subject: string | undefined, item: string | undefined, flags: Flags) =>
      runner.run('shred', flags, (session) => shred(session, { tenant, subject, item }, flags)),
  )
}

async function shred(session: Session, place: Place, { reason, receipt, dryRun }: Flags): Promise<Outcome> {
  const vault = await session.openVault()
  // A name that is mistyped would be occupied by its shred; of a tenant's at least it is known whether there is one.
  const { region } = await tenantInfo(vault, place.tenant)
  const whatGoes = `Gone for good: ${whole(place)}, with all that was encrypted under its key.`
  if (dryRun === true) return { lines: [whatGoes, 'nothing was done'], summary: { dryRun: true, ...place, region } }
  await session.confirm(whatGoes)
  const file = receipt === undefined ? undefined : await reserveFile(resolve(session.directory, receipt))
  let shredded: Shredded
  try {
    shredded = await handleOf(vault, place).shred({ reason })
  } catch (error) {
    await file?.discard()
    throw error
  }
  await file?.write(`${shredded.receipt}\n`)
  return outcome(session, place, shredded, receipt)
}

async function outcome(session: Session, place: Place, shredded: Shredded, file: string | undefined): Promise<Outcome> {
  const { instant, versions, rootVersion, ledger, receipt } = shredded
  const said = [
    versions === 0
      ? `there was no key: the name is occupied now, and nothing can be encrypted there; check its spelling`
      : `shredded: ${count(versions, 'key version')}; dead in every backup once all root versions up to ${rootVersion} are destroyed`,
    ...(file === undefined ? [] : [`the receipt is in ${file}`]),
  ]
  const summary = { ...place, instant, versions, rootVersion, ledger: { n: ledger.n, hash: Buffer.from(ledger.hash).toString('hex') } }
  if (file !== undefined) return { lines: said, summary: { ...summary, receiptFile: file } }
  // The receipt alone, so that it can be sent into a file.
  for (const line of said) await session.note(line)
  return { lines: [receipt], summary: { ...summary, receipt }, isOutput: true }
}

function handleOf(vault: Vault, { tenant, subject, item }: Place): Tenant | Item {
  const whose = vault.tenant(tenant)
  if (subject === undefined) return whose
  return item === undefined ? whose.subject(subject) : whose.subject(subject).item(item)
}

function whole({ tenant, subject, item }: Place): string {
  if (subject === undefined) return `tenant ${tenant}, every subject and item of it`
  return item === undefined
    ? `subject ${subject} of tenant ${tenant}, every item of it`
    : `item ${item} of subject ${subject} of tenant ${tenant}`
}
