// Data, key store and state store, restored in every way there is, before and after the close: what reads, and what replay removes. The tables are
// those of docs/restore-runbook.md.
import { readFile } from 'node:fs/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Answers, type Kind, makeWorld, MOMENTS, type Part, type World } from './restore-world.ts'

const RESTORES: readonly (readonly [string, readonly Part[]])[] = [
  ['data', ['data']],
  ['key store', ['keys']],
  ['state store', ['state']],
  ['data and key store', ['data', 'keys']],
  ['both stores', ['keys', 'state']],
  ['all three', ['data', 'keys', 'state']],
]
const KINDS: readonly Kind[] = ['person', 'tenant']
const WHENS = ['before', 'after'] as const

interface Cell extends Answers {
  readonly restored: string
  readonly moment: number
  readonly kind: Kind
}

let world: World
const cells: Record<(typeof WHENS)[number], Cell[]> = { before: [], after: [] }
beforeAll(async () => {
  world = await makeWorld()
  for (const when of WHENS)
    for (const [restored, parts] of RESTORES)
      for (const moment of MOMENTS.keys()) {
        const answers = await world.answers(when, parts, moment)
        cells[when].push(...KINDS.map((kind) => ({ restored, moment, kind, ...answers[kind] })))
      }
}, 300_000)
afterAll(() => world.remove())

const HEADINGS = [
  '| put back | copy taken at | erased | the vault | what was erased | replay removes | after replay | after sweeping | others |',
  '|---|---|---|---|---|---|---|---|---|',
]

/** Cells that answer the same are one row. */
function rowsOf(all: readonly Cell[]): readonly string[] {
  const rows = new Map<string, { readonly cells: Cell[] }>()
  for (const cell of all) {
    const { restored, vault, erased, removed, replayed, swept, others } = cell
    const answers = [vault, erased === 'reads' ? '**reads**' : erased, removed, replayed, swept, others].join(' | ')
    const key = `${restored} | ${answers}`
    const row = rows.get(key) ?? { cells: [] }
    rows.set(key, row)
    row.cells.push(cell)
  }
  return [...rows].map(([key, { cells: same }]) => {
    const [restored, ...answers] = key.split(' | ')
    const kinds = [...new Set(same.map(({ kind }) => kind))]
    const moments = [...new Set(same.map(({ moment }) => moment))]
    expect(same, 'a row of the table says all of it').toHaveLength(kinds.length * moments.length)
    return `| ${[restored, moments.join(', '), kinds.length === KINDS.length ? 'any' : kinds.join(), ...answers].join(' | ')} |`
  })
}

test.each(WHENS)('the table of what is put back %s the close is the one in docs/restore-runbook.md', async (when) => {
  const page = await readFile(new URL('../../../../docs/restore-runbook.md', import.meta.url), 'utf8')
  expect(page).toContain(`\n${[...HEADINGS, ...rowsOf(cells[when])].join('\n')}\n\n`)
})

test('whatever is restored, the dead read only where both stores know nothing of it, and then not after the close', () => {
  const reading = WHENS.flatMap((when) =>
    cells[when].filter(({ erased, replayed, swept }) => [erased, replayed, swept].includes('reads')).map((cell) => ({ when, ...cell })),
  )
  expect(new Set(reading.map(({ when, moment, restored }) => `${when} ${restored} ${moment}`))).toEqual(new Set(['before all three 0']))
})

test('where the vault knows of the erasure, nothing of the dead is left after replay and sweeping', () => {
  for (const cell of WHENS.flatMap((when) => cells[when]))
    if (cell.vault === 'opens' && !(cell.moment === 0 && ['both stores', 'all three'].includes(cell.restored)))
      expect(cell).toMatchObject({ swept: 'nothing' })
})

test('others are read in every restore in which the vault opens', () => {
  for (const cell of WHENS.flatMap((when) => cells[when])) if (cell.vault === 'opens') expect(cell).toMatchObject({ others: 'reads' })
})

test('a state store that is older than a request cannot be repaired; one that is older than its end can, and replay does the rest', async () => {
  for (const when of WHENS) {
    expect(await world.repaired(when, 0)).toBe('ledger_invalid')
    for (const moment of [1, 2])
      expect([when, moment, await world.repaired(when, moment)]).toEqual([when, moment, { person: 'nothing', tenant: 'nothing' }])
  }
})
