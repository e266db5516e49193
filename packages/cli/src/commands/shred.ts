/** `strongroom shred tenant`, `… subject`, `… item`: how much goes is said by a word, never by how many names there are. */

import { resolve } from 'node:path'

import { type PlaceState, Reason, type ReasonName, type Shredded, StrongroomError, type Vault } from '@strongroom/core'
import { type Command, Option } from 'commander'

import { CliError } from '../cli-error.ts'
import { type SharedFlags, withDryRun, withVaultFlags, withYes } from '../flags.ts'
import { type NewFile, newFile, newOrSameFile } from '../new-file.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { count } from '../terminal/count.ts'
import { keptLines, keptSummary } from './kept.ts'
import { type NamedPlace, NO_KEY, stateOf, whole } from './named-place.ts'
import { addPlaceCommands, type PlaceKind } from './place-commands.ts'
import { tenantInfo } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly reason: ReasonName
  readonly receipt?: string
  readonly dryRun?: boolean
  readonly evenIfAbsent?: boolean
  readonly withoutRevocation?: boolean
}

const REACH =
  'and with it all that was encrypted under it and beneath it; in other processes within one cacheBound (60 s unless the vault was made with another), in backups once the epoch is closed'

export function addShred(program: Command, runner: Runner): void {
  const shred = program
    .command('shred')
    .summary('destroy the key of a tenant, a subject or an item')
    .description(`destroy the key of a tenant, of a subject or of an item for good, ${REACH}`)
  addPlaceCommands<Flags>(shred, {
    descriptions: {
      tenant: `destroy the key of a tenant for good, ${REACH}`,
      subject: `destroy the key of a subject for good, ${REACH}`,
      item: `destroy the key of an item for good, ${REACH}`,
    },
    withFlags: (command, kind) => FLAGS[kind](withFlags(command)),
    act: (kind, place, flags) => runner.run(`shred ${kind}`, flags, (session) => shredPlace(session, place, flags)),
  })
}

// An item is taken down by whoever made it.
const FLAGS: Readonly<Record<PlaceKind, (command: Command) => Command>> = {
  tenant: withRevocation,
  subject: (command) => withAbsent(withRevocation(command)),
  item: withAbsent,
}

function withFlags(command: Command): Command {
  command
    .addOption(new Option('--reason <name>', 'kept in the ledger and the receipt').choices(Object.keys(Reason)).default('unspecified'))
    .option('--receipt <file>', 'write the signed receipt into this new file (default: to stdout)')
  return withVaultFlags(withYes(withDryRun(command)))
}

function withAbsent(command: Command): Command {
  return command.option(
    '--even-if-absent',
    'where there is no key: occupy the name, so that nothing can be encrypted there (default: refused)',
  )
}

function withRevocation(command: Command): Command {
  return command.option(
    '--without-revocation',
    'also where there are connections to other systems whose tokens nothing here can revoke: they stay good there (default: refused)',
  )
}

async function shredPlace(session: Session, place: NamedPlace, flags: Flags): Promise<Outcome> {
  const { receipt, dryRun } = flags
  const { vault } = await session.openServices()
  const { region } = await tenantInfo(vault, place.tenant)
  const key = await stateOf(vault, place)
  if (key === 'gone') throw new StrongroomError('shredded', `${whole(place)}: ${await goneWith(vault, place)}`)
  if (key === 'absent' && flags.evenIfAbsent !== true)
    throw new CliError('no_key', `${whole(place)}: ${NO_KEY}; to occupy the name all the same, give --even-if-absent`)
  const whatGoes = WHAT_GOES[key](whole(place))
  if (dryRun === true) return { lines: [whatGoes, 'nothing was done'], summary: { dryRun: true, ...place, region, key } }
  await session.confirm(whatGoes, place.item ?? place.subject ?? place.tenant)
  const makeFile = key === 'shredded' ? newOrSameFile : newFile
  const file = receipt === undefined ? undefined : await makeFile(resolve(session.directory, receipt))
  let shredded: Shredded
  session.begin()
  try {
    shredded = await destroy(vault, place, flags)
  } catch (error) {
    await file?.discard()
    throw error
  }
  if (file !== undefined) await writeReceipt(file, shredded)
  return outcome(session, place, shredded, receipt)
}

const gone = (what: string): string => `Gone for good: ${what}, with all that was encrypted under its key.`

const WHAT_GOES: Readonly<Record<Exclude<PlaceState, 'gone'>, (what: string) => string>> = {
  active: gone,
  suspended: gone,
  shredded: (what) => `Gone already: ${what}. Shredding it again gives its receipt, with the reason that was given then.`,
  absent: (what) => `There is no key: ${what}. Its name will be occupied, and nothing can be encrypted there.`,
}

// What is beneath a shred has no receipt of its own.
async function goneWith(vault: Vault, { tenant, subject = '', item }: NamedPlace): Promise<string> {
  const above = item !== undefined && (await vault.tenant(tenant).subject(subject).state()) === 'shredded' ? 'subject' : 'tenant'
  return `whatever there was went with its ${above}; strongroom shred ${above} gives the receipt of that`
}

async function writeReceipt(file: NewFile, { receipt, versions }: Shredded): Promise<void> {
  try {
    await file.write(`${receipt}\n`)
  } catch (error) {
    const isDone = versions === 0 ? 'the name is occupied' : 'the key IS destroyed'
    const why = error instanceof CliError ? error.message : 'it cannot be written'
    throw new CliError('file_unusable', `${isDone}, but not its receipt kept: ${why}. The same command gives the receipt again`, {
      cause: error,
    })
  }
}

async function outcome(session: Session, place: NamedPlace, shredded: Shredded, file: string | undefined): Promise<Outcome> {
  const { instant, versions, rootVersion, ledger, receipt, kept } = shredded
  const said = [
    versions === 0
      ? `nothing was destroyed: there was no key at that place; the name is occupied now, and nothing can be encrypted there`
      : `shredded: ${count(versions, 'key version')}; dead in every backup once all root versions up to ${rootVersion} are destroyed`,
    ...keptLines(kept),
    ...(file === undefined ? [] : [`the receipt is in ${file}`]),
  ]
  const summary = {
    ...place,
    instant,
    versions,
    rootVersion,
    ledger: { n: ledger.n, hash: Buffer.from(ledger.hash).toString('hex') },
    kept: keptSummary(kept),
  }
  if (file !== undefined) return { lines: said, summary: { ...summary, receiptFile: file } }
  // The receipt alone, so that it can be sent into a file.
  for (const line of said) await session.note(line)
  return { lines: [receipt], summary: { ...summary, receipt }, isOutput: true }
}

function destroy(vault: Vault, { tenant, subject, item }: NamedPlace, { reason, withoutRevocation = false }: Flags): Promise<Shredded> {
  const whose = subject === undefined ? vault.tenant(tenant) : vault.tenant(tenant).subject(subject)
  if (item !== undefined && 'item' in whose) return whose.item(item).shred({ reason })
  return withoutRevocation ? whose.shredWithoutRevocation({ reason }) : whose.shred({ reason })
}
