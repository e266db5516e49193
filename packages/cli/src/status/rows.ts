/** What `status` says: one fact a row. */

import type {
  NodeCounts,
  ProviderStatus,
  RegionStatus,
  RootVersionStatus,
  ShredStatus,
  VaultStatus,
  WrappingKeyCounts,
} from '@strongroom/core'

import { count } from '../terminal/count.ts'
import type { Tone } from '../terminal/style.ts'
import { dayAndAge, minute } from '../terminal/time.ts'
import { whatToDo } from './what-to-do.ts'

export interface Row {
  /** What the row is about; empty where it goes on with the row before. */
  readonly label: string
  readonly text: string
  readonly tone: Tone
  /** Begins a section. */
  readonly isHead?: boolean
  /** To be copied, such as an id: never broken, however wide the terminal is. */
  readonly isWhole?: boolean
}

export function statusRows({ at, homeRegion, ledger, regions }: VaultStatus): readonly Row[] {
  const behind = ledger.n - ledger.applied
  const applied = behind === 0 ? 'all of them in effect' : `${behind} not in effect yet: open the vault once more`
  return [
    { label: 'vault', text: `home region ${homeRegion}; ledger of ${entries(ledger.n)}, ${applied}`, tone: 'strong', isHead: true },
    ...regions.flatMap((region) => regionRows(region, at)),
  ]
}

function regionRows(status: RegionStatus, at: number): readonly Row[] {
  const { region, current, rootVersions, provider, tenants, wrappingKeys, nodes, shreds } = status
  const uses = current === undefined ? 'nothing was ever wrapped' : `root version ${current}; ${rotationText(status)}`
  return [
    { label: `region ${region}`, text: uses, tone: status.rotation.state === 'unfinished' ? 'warning' : 'strong', isHead: true },
    ...rootVersions.map((version) => versionRow(version, at)),
    providerRow(provider),
    { label: 'tenants', text: `${tenants}`, tone: 'plain' },
    { label: 'wrapping keys', text: wrappingKeysText(wrappingKeys, at), tone: wrappingKeys.retiring > 0 ? 'warning' : 'plain' },
    { label: 'keys', text: nodesText(nodes, at), tone: 'plain' },
    ...shredRows(shreds, region),
  ]
}

function rotationText({ rotation: { state, rootVersion, endedAt } }: RegionStatus): string {
  if (state === 'unfinished') return `the rotation to ${rootVersion} was begun and not ended`
  return endedAt === undefined ? 'never rotated' : `rotated ${minute(endedAt)}`
}

function versionRow({ number, state, created, destroyed, destruction, wrappingKeys }: RootVersionStatus, at: number): Row {
  const label = `version ${number}`
  if (state === 'destroyed') {
    const when = destroyed === undefined ? '' : ` ${minute(destroyed)}`
    const level = destruction === undefined ? 'not answered for yet' : destruction.level
    const copies =
      destruction !== undefined && destruction.copiesUntil > at ? `; copies may live until ${minute(destruction.copiesUntil)}` : ''
    return { label, text: `destroyed${when} (${level})${copies}`, tone: 'faint' }
  }
  const { wrapped, only } = wrappingKeys
  const text = `${state}, made ${dayAndAge(created, at)}; wraps ${count(wrapped, 'key')}, ${only} alone`
  return { label, text, tone: state === 'live' ? 'plain' : 'warning' }
}

function providerRow({ state, code, ...lists }: ProviderStatus): Row {
  const label = 'provider'
  if (state === 'none') return { label, text: 'none in this configuration', tone: 'warning' }
  if (state === 'unavailable') return { label, text: `does not answer (${code})`, tone: 'bad' }
  const differences = [
    ['unknown to the key store', lists.unknown],
    ['missing there', lists.missing],
    ['destroyed there alone', lists.gone],
    ['live there though destroyed', lists.undestroyed],
  ] as const
  const found = differences.filter(([, numbers]) => numbers.length > 0).map(([what, numbers]) => `${what}: version ${numbers.join(', ')}`)
  if (found.length === 0) return { label, text: 'answers, and agrees with the key store', tone: 'good' }
  return { label, text: `answers; ${found.join('; ')}`, tone: 'warning' }
}

function wrappingKeysText({ current, retiring, retired, marked, oldest }: WrappingKeyCounts, at: number): string {
  const states = [`${current} current`, ...some(retiring, 'retiring'), ...some(retired, 'retired'), ...some(marked, 'marked by a shred')]
  return states.join(', ') + since(oldest, at)
}

function nodesText({ active, deactivated, suspended, shredded, deactivatedVersions, oldest }: NodeCounts, at: number): string {
  const states = [
    `${active} active`,
    ...some(deactivated, 'deactivated'),
    ...some(suspended, 'suspended'),
    ...some(shredded, 'shredded'),
    ...some(deactivatedVersions, deactivatedVersions === 1 ? 'old version that only decrypts' : 'old versions that only decrypt'),
  ]
  return states.join(', ') + since(oldest, at)
}

function shredRows({ final, waiting, awaiting, blockedBy }: ShredStatus, region: string): readonly Row[] {
  const rows: { readonly text: string; readonly tone: Tone }[] = []
  if (waiting.count > 0)
    rows.push({ text: `${waiting.count} waiting${from(waiting.since)}: older backups still open them`, tone: 'warning' })
  if (awaiting.count > 0) {
    const until = awaiting.until === undefined ? '' : ` until ${minute(awaiting.until)}`
    rows.push({ text: `${awaiting.count} done${from(awaiting.since)}, final once time has passed${until}`, tone: 'plain' })
  }
  if (final > 0) rows.push({ text: `${final} final: dead in every backup`, tone: 'good' })
  if (rows.length === 0) rows.push({ text: 'none', tone: 'plain' })
  return [
    ...rows.map(({ text, tone }, i) => ({ label: i === 0 ? 'shreds' : '', text, tone })),
    ...blockedBy.map((blocker, i) => ({
      label: i === 0 ? 'blocked by' : '',
      text: `${blocker}: ${whatToDo(blocker, region)}`,
      tone: 'warning' as const,
    })),
  ]
}

function some(n: number, what: string): readonly string[] {
  return n === 0 ? [] : [`${n} ${what}`]
}

function from(instant: number | undefined): string {
  return instant === undefined ? '' : ` since ${minute(instant)}`
}

function since(oldest: number | undefined, at: number): string {
  return oldest === undefined ? '' : `; oldest ${dayAndAge(oldest, at)}`
}

function entries(n: number): string {
  return n === 1 ? '1 entry' : `${n} entries`
}
