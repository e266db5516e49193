// Which clauses count as kept.
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

interface Run {
  readonly path: string
  readonly title: string
  readonly result: string
  readonly server?: string
}

const CLAUSES = fileURLToPath(new URL('../../scripts/clauses.mjs', import.meta.url))
const { countClauses } = (await import(CLAUSES)) as { countClauses(tests: readonly Run[]): readonly string[] }
const last = (...tests: readonly Run[]): string | undefined => countClauses(tests).at(-1)

const kept: Run = { path: 'examples/accounts/test/a.test.ts', title: 'bytes [C1] are encrypted', result: 'passed', server: 'MongoDB 8' }
const NONE = "clauses of the users' promises kept: 0 of 31"

test('a clause is kept by a test of an example that passed on a server', () => {
  expect(countClauses([kept, { ...kept, title: '[K3] roles' }, { ...kept, title: '[K3] keys' }])).toEqual([
    'C1 kept by examples/accounts/test/a.test.ts on MongoDB 8',
    'K3 kept by examples/accounts/test/a.test.ts on MongoDB 8',
    "clauses of the users' promises kept: 2 of 31",
  ])
})

test.each<[string, Partial<Run>]>([
  ['failed', { result: 'failed' }],
  ['skipped', { result: 'skipped' }],
  ['of a package', { path: 'packages/core/test/a.test.ts' }],
  ['of a clause that there is not', { title: '[C7] x' }],
  ['without brackets', { title: 'C1' }],
])('not by one that is %s', (_, change) => {
  expect(last({ ...kept, ...change })).toBe(NONE)
})

test('not by one that ran on no server, and not while another of the clause fails or is skipped', () => {
  const { server: _, ...serverless } = kept
  expect(last(serverless)).toBe(NONE)
  for (const result of ['failed', 'skipped']) expect(last(kept, { ...kept, title: '[C1] more', result })).toBe(NONE)
})
