// How `status` reads: as lines of a terminal of any width, and as data.
import type { RegionStatus, VaultStatus } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { statusLines } from '#cli/status/lines.js'
import { statusRows } from '#cli/status/rows.js'
import { progressLine } from '#cli/terminal/progress.js'
import { FUNCTION, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { vaultFolder } from './support/vault-folder.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2030, 5, 1)

const HARDEST: RegionStatus = {
  region: `a-region-${'x'.repeat(55)}`,
  current: 4_294_967_295,
  rootVersions: [
    {
      number: 1,
      state: 'destroyed',
      created: NOW - 900 * DAY,
      destroyed: NOW - DAY,
      destruction: { level: 'operator-asserted', effectiveAt: NOW - DAY, copiesUntil: NOW + 29 * DAY },
      wrappingKeys: { wrapped: 0, only: 0 },
    },
    { number: 2, state: 'destroyed', created: NOW - 600 * DAY, wrappingKeys: { wrapped: 0, only: 0 } },
    { number: 3, state: 'closing', created: NOW - 300 * DAY, wrappingKeys: { wrapped: 1_234_567, only: 1_234_567 } },
    { number: 4_294_967_295, state: 'live', created: NOW - DAY, wrappingKeys: { wrapped: 1_234_567, only: 1_234_567 } },
  ],
  provider: { state: 'answers', unknown: [5, 6], missing: [1], gone: [2], undestroyed: [3] },
  rotation: { state: 'unfinished', rootVersion: 4_294_967_295 },
  tenants: 1_234_567,
  wrappingKeys: { current: 1_234_567, retiring: 1_234_567, retired: 1_234_567, marked: 1_234_567, oldest: NOW - 900 * DAY },
  nodes: {
    active: 9_876_543,
    deactivated: 9_876_543,
    suspended: 9_876_543,
    shredded: 9_876_543,
    deactivatedVersions: 9_876_543,
    oldest: 1,
  },
  shreds: {
    final: 12_345,
    waiting: { count: 12_345, since: NOW - 40 * DAY },
    awaiting: { count: 12_345, since: NOW - 50 * DAY, until: NOW + 29 * DAY },
    blockedBy: [
      'wrong_root_key',
      'provider_unavailable',
      'rotation_unfinished',
      'rotation_needed',
      'close_unfinished',
      'close_needed',
      'not_destroyed',
      'scheduled',
      'copies_live',
    ],
  },
}
const EMPTY: RegionStatus = {
  region: 'eu',
  rootVersions: [],
  provider: { state: 'unavailable', code: 'key_provider_throttled', unknown: [], missing: [], gone: [], undestroyed: [] },
  rotation: { state: 'none' },
  tenants: 0,
  wrappingKeys: { current: 0, retiring: 0, retired: 0, marked: 0 },
  nodes: { active: 0, deactivated: 0, suspended: 0, shredded: 0, deactivatedVersions: 0 },
  shreds: { final: 0, waiting: { count: 0 }, awaiting: { count: 0 }, blockedBy: [] },
}
const STATUS: VaultStatus = { at: NOW, homeRegion: HARDEST.region, ledger: { n: 1_234_567, applied: 1 }, regions: [HARDEST, EMPTY] }

describe('lines', () => {
  test('none is wider than the terminal, whatever its width, and no word is lost', () => {
    const rows = statusRows(STATUS)
    const words = (lines: readonly string[]): string => lines.join('').replaceAll(/\s/g, '')
    const all = words(statusLines(rows, 1000, (_, text) => text))
    for (let width = 5; width <= 200; width++) {
      const lines = statusLines(rows, width, (_, text) => text)
      expect([width, lines.filter((line) => line.length > width)]).toEqual([width, []])
      expect([width, words(lines)]).toEqual([width, all])
    }
  })

  test('colour adds nothing to what is read', () => {
    const rows = statusRows(STATUS)
    const plain = statusLines(rows, 80, (_, text) => text)
    const toned = statusLines(rows, 80, (tone, text) => `<${tone}>${text}</>`)
    expect(toned.map((line) => line.replaceAll(/<[a-z/]*>/g, ''))).toEqual(plain)
    expect(toned.join('')).toContain('<warning>')
  })

  test('every blocker says what ends it', () => {
    const text = statusRows(STATUS)
      .map((row) => row.text)
      .join('\n')
    for (const blocker of HARDEST.shreds.blockedBy) expect(text).toMatch(new RegExp(`^${blocker}: \\S+ `, 'm'))
  })

  test('progress is not wider either', () => {
    for (const phase of ['preparing', 'wrapping', 'waiting', 'rewrapping', 'checking', 'destroying'])
      for (let width = 1; width <= 200; width++)
        for (const [done, total] of [
          [0, 0],
          [0, 1],
          [5_000_000, 10_000_000],
          [7, 7],
        ] as const)
          expect(progressLine({ phase, done, total }, width).length).toBeLessThanOrEqual(width)
    expect(progressLine({ phase: 'rewrapping', done: 2, total: 8 }, 80)).toBe('rewrapping  [#######-----------------------]  25 % 2/8')
  })
})

test('in a terminal of 80 columns, of 40, and in a pipe', async () => {
  const { folder, with: opened } = await vaultFolder()
  await opened((vault) => vault.tenant('t0').subject('s0').shred())
  const wide = new Terminal(`${FUNCTION}; strongroom status`, folder, { columns: 80 })
  expect(await wide.ended).toBe(0)
  const day = new Date().toISOString().slice(0, 10)
  const lines = (await wide.lines()).map((line) => line.replaceAll(/\d{4}-\d\d-\d\d/g, day).replaceAll(/\d\d:\d\dZ/g, '12:00Z'))
  expect(lines).toEqual([
    'vault          home region eu; ledger of 2 entries, all of them in effect',
    '',
    'region eu      root version 1; never rotated',
    `version 1      live, made ${day} (0 days old); wraps 3 keys, 3 alone`,
    'provider       answers, and agrees with the key store',
    'tenants        2',
    `wrapping keys  3 current, 1 marked by a shred; oldest ${day} (0 days old)`,
    expect.stringMatching(/^keys {11}\d+ active, 1 shredded; oldest/),
    `shreds         1 waiting since ${day} 12:00Z: older backups still open them`,
    'blocked by     rotation_needed: strongroom rotate root --region eu',
    '               close_needed: a backup of the rotated key store, then strongroom',
    '               close-epoch --region eu',
  ])
  const narrow = new Terminal(`${FUNCTION}; strongroom status`, folder, { columns: 40 })
  expect(await narrow.ended).toBe(0)
  const narrowLines = await narrow.lines()
  expect(narrowLines.filter((line) => line.startsWith('↪'))).toEqual([])
  expect(narrowLines.length).toBeGreaterThan(lines.length)
  const { stdout } = await strongroom(folder, ['status'])
  expect(stdout.trimEnd().split('\n').length).toBe(lines.length)
})

test('--json is the data, and --region narrows it', async () => {
  const { folder, with: opened } = await vaultFolder()
  const { code, stdout } = await strongroom(folder, ['status', '--json', '--region', 'eu'])
  expect(code).toBe(0)
  const { command, outcome, at, ...status } = JSON.parse(stdout) as Record<string, unknown>
  expect([command, outcome, typeof at]).toEqual(['status', 'done', 'number'])
  const { at: _, ...own } = await opened((vault) => vault.status())
  expect(status).toEqual(JSON.parse(JSON.stringify(own)))
})
