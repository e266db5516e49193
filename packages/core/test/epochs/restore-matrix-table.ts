// What is expected of every restore, written down before any was tried. docs/erasure-and-backups.md shows the same two tables.
import type { Failpoint } from '@strongroom/core/testing'

/** When copies of the stores and of the root file were taken. The tables name a moment by its place in this list. */
export interface Moment {
  readonly name: string
  /** The `nth` time that the rotation passes this failpoint. */
  readonly at?: Failpoint
  readonly nth?: number
}

/**
 * The rotation takes the tenants in the order in which they were made: the vault itself, that of the shredded item, the one without a
 * shred, that of the shredded subject. A shredded tenant is none any more.
 */
export const MOMENTS: readonly Moment[] = [
  { name: 'before the shred' },
  { name: 'root version made', at: 'root.created', nth: 1 },
  { name: 'root version in the ledger', at: 'root.announced', nth: 1 },
  { name: 'vault wrapped by it', at: 'wrap.stored', nth: 1 },
  { name: 'first new wrapping key stored', at: 'wrapping-key.stored', nth: 1 },
  { name: 'tenant without a shred wrapped', at: 'wrap.stored', nth: 2 },
  { name: 'moves begun', at: 'move.begun', nth: 2 },
  { name: 'cache bound waited out', at: 'move.waited', nth: 1 },
  { name: 'first key of the first tenant moved', at: 'move.rewrapped', nth: 1 },
  { name: 'all but one key of it moved', at: 'move.rewrapped', nth: 4 },
  { name: 'it was looked through again', at: 'move.rescanned', nth: 1 },
  { name: 'its old wrapping key retired', at: 'move.retired', nth: 1 },
  { name: 'the last old wrapping key retired', at: 'move.retired', nth: 2 },
  { name: 'epoch marker written', at: 'epoch.marked', nth: 1 },
  { name: 'rotation ended' },
]

export const WHENS = ['before', 'after'] as const
/** Restored before the epoch closes, or after. */
export type When = (typeof WHENS)[number]

export type Part = 'keys' | 'state' | 'root'
export const RESTORES: ReadonlyMap<string, readonly Part[]> = new Map<string, readonly Part[]>([
  ['key store', ['keys']],
  ['state store', ['state']],
  ['both stores', ['keys', 'state']],
  ['root file', ['root']],
  ['root file and key store', ['root', 'keys']],
  ['root file and state store', ['root', 'state']],
  ['all three', ['root', 'keys', 'state']],
])

export const KINDS = ['item', 'subject', 'tenant'] as const
/** What was shredded. */
export type Kind = (typeof KINDS)[number]

/** In the order of the tables' columns. An answer is `reads`, or one of {@link WORDS}, or the code of the refusal. */
export interface Answers {
  /** `opens`, or why it does not: there are then no other answers. */
  readonly vault: string
  readonly shredded?: string
  /** Of the same tenant, alive: the item's subject and another item, or another subject and its item. A shredded tenant has none. */
  readonly sameTenant?: string
  /** As `sameTenant`: the one whose key the rotation moves last. */
  readonly movedLast?: string
  readonly otherTenant?: string
  /** The key was made after the rotation, and so after every copy: in the same tenant, or in the other one if that is shredded. */
  readonly madeLater?: string
}

/** Codes that the tables have shorter words for. */
export const WORDS: ReadonlyMap<string, string> = new Map([
  ['shredded', 'refused'],
  ['root_version_destroyed', 'dead'],
  ['decrypt_failed', 'lost'],
])

export const HEADINGS = [
  '| put back | copy taken at | shredded | the vault | what was shredded | same tenant | other tenant | key made later |',
  '|---|---|---|---|---|---|---|---|',
]

/** `reads, then dead`: the key that is moved last is dead. */
export const TABLES: Readonly<Record<When, readonly string[]>> = {
  before: [
    '| key store; root file and key store | 0–14 | any | opens | refused | reads | reads | lost |',
    '| state store; root file and state store | 0–1 | any | `ledger_invalid` | | | | |',
    '| state store; root file and state store | 2–14 | any | opens | refused | reads | reads | reads |',
    '| both stores; all three | 0 | any | opens | **reads** | reads | reads | lost |',
    '| both stores; all three | 1–14 | any | opens | refused | reads | reads | lost |',
    '| root file | 0 | item, subject | opens | `wrong_root_key` | `wrong_root_key` | reads | `wrong_root_key` |',
    '| root file | 0 | tenant | opens | refused | | reads | reads |',
    '| root file | 1–14 | any | opens | refused | reads | reads | reads |',
  ],
  after: [
    '| key store; both stores | 0–2 | any | dead | | | | |',
    '| key store; both stores | 3–4 | item, subject | opens | dead | dead | dead | dead |',
    '| key store; both stores | 3–4 | tenant | opens | refused | | dead | dead |',
    '| key store; both stores | 5–8 | item, subject | opens | dead | dead | reads | dead |',
    '| key store; both stores | 9 | item | opens | refused | reads, then dead | reads | lost |',
    '| key store; both stores | 10–11 | item | opens | refused | reads | reads | lost |',
    '| key store; both stores | 9–11 | subject | opens | dead | dead | reads | dead |',
    '| key store; both stores | 5–11 | tenant | opens | refused | | reads | lost |',
    '| key store; both stores | 12–14 | any | opens | refused | reads | reads | lost |',
    '| state store; root file and state store | 0–14 | any | `ledger_invalid` | | | | |',
    '| root file | 0 | item, subject | opens | `wrong_root_key` | `wrong_root_key` | reads | `wrong_root_key` |',
    '| root file | 0 | tenant | opens | refused | | reads | reads |',
    '| root file | 1–14 | any | opens | refused | reads | reads | reads |',
    '| root file and key store | 0–14 | any | opens | refused | reads | reads | lost |',
    '| all three | 0 | any | opens | **reads** | reads | reads | lost |',
    '| all three | 1–14 | any | opens | refused | reads | reads | lost |',
  ],
}

/** One question: this was shredded, and that was put back, from copies of that moment, then. */
export interface Cell {
  readonly when: When
  readonly restored: string
  readonly moment: number
  readonly kind: Kind
  readonly expected: Answers
  /** The row that says so. */
  readonly row: string
}

/** The tables, one entry for each cell. Throws if one is missing, said twice, or unreadable. */
export function cells(): readonly Cell[] {
  const all = WHENS.flatMap((when) => TABLES[when].flatMap((row) => cellsOf(when, row)))
  for (const when of WHENS)
    for (const restored of RESTORES.keys())
      for (const moment of MOMENTS.keys())
        for (const kind of KINDS) {
          const of = all.filter((cell) => cell.when === when && cell.restored === restored && cell.moment === moment && cell.kind === kind)
          if (of.length !== 1) throw new Error(`${of.length} rows for ${restored}, ${moment}, ${kind}, ${when}`)
        }
  return all
}

function cellsOf(when: When, row: string): readonly Cell[] {
  const columns = row.split('|').slice(1, -1)
  if (columns.length !== 8) throw new Error(`not a row: ${row}`)
  const [restored, taken, shredded, vault, ...values] = columns.map((text) => text.trim().replaceAll(/[`*]/g, '')) as [string, ...string[]]
  const [first, last = first] = (taken as string).split('–').map(Number) as [number, number?]
  const kinds = shredded === 'any' ? KINDS : KINDS.filter((kind) => (shredded as string).split(', ').includes(kind))
  return restored
    .split('; ')
    .flatMap((name) =>
      MOMENTS.flatMap((_, moment) =>
        moment < first || moment > last
          ? []
          : kinds.map((kind) => ({ when, restored: name, moment, kind, expected: answersOf(kind, vault as string, values), row })),
      ),
    )
}

function answersOf(kind: Kind, vault: string, [shredded = '', same = '', otherTenant = '', madeLater = '']: readonly string[]): Answers {
  if (vault !== 'opens') return { vault }
  const [sameTenant = '', movedLast = sameTenant] = same.split(', then ')
  const values = kind === 'tenant' ? { shredded, otherTenant, madeLater } : { shredded, sameTenant, movedLast, otherTenant, madeLater }
  if (Object.values(values).includes('')) throw new Error(`an answer is missing for ${kind}`)
  return { vault, ...values }
}
