// Real folders, restored in every way there is: what reads then, what is refused, what is dead. The tables are in
// restore-matrix-table.ts, and in words in docs/erasure-and-backups.md.
import { cp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { BY_HAND, putBackByHand } from './restore-matrix-by-hand.ts'
import {
  answers,
  at,
  drain,
  inFolder,
  markerIn,
  openFolder,
  outcome,
  read,
  repaired,
  store,
  type StoredValue,
} from './restore-matrix-folder.ts'
import { type Answers, cells, HEADINGS, type Kind, KINDS, MOMENTS, RESTORES, TABLES, type When, WHENS } from './restore-matrix-table.ts'
import { makeWorld, type PutBack, type World } from './restore-matrix-world.ts'

const ENDED = MOMENTS.length - 1
const MARKED = MOMENTS.findIndex((moment) => moment.at === 'epoch.marked')
const DEAD = { vault: 'dead' }

let world: World
beforeAll(async () => {
  world = await makeWorld()
})
afterAll(() => world.remove())

const CELLS = cells()
const nameOf = (moment: number): string => `${moment} (${MOMENTS[moment]?.name})`

/** What stands in the tables for what is put back at a moment. */
function expected(when: When, restored: string, moment: number): Readonly<Record<Kind, Answers>> {
  const of = CELLS.filter((cell) => cell.when === when && cell.restored === restored && cell.moment === moment)
  return Object.fromEntries(of.map((cell) => [cell.kind, cell.expected])) as Record<Kind, Answers>
}

// Each folder is put together and opened once, for the three kinds of shred.
const opened = new Map<string, Promise<Readonly<Record<Kind, Answers>>>>()
function answersOnce(when: When, restored: string, moment: number): Promise<Readonly<Record<Kind, Answers>>> {
  const name = `${when} ${restored} ${moment}`
  const from = Object.fromEntries((RESTORES.get(restored) ?? []).map((part) => [part, moment])) as PutBack
  const given = opened.get(name) ?? answersIn(when, from)
  opened.set(name, given)
  return given
}

async function answersIn(of: string, from: PutBack): Promise<Readonly<Record<Kind, Answers>>> {
  const path = await world.folder(of, from)
  const given = await answers(path, world.values)
  await rm(path, { recursive: true })
  return given
}

describe.each(WHENS)('put back %s the close', (when) => {
  for (const { restored, moment, kind, expected: answer, row } of CELLS.filter((cell) => cell.when === when)) {
    test(`${restored} of ${nameOf(moment)}, ${kind} shredded`, async () => {
      expect((await answersOnce(when, restored, moment))[kind], `the table says ${row}`).toEqual(answer)
    })
  }

  test('of any mixture of copies, what was shredded reads only from both stores of before the shred', async () => {
    const moments: readonly (number | undefined)[] = [undefined, ...MOMENTS.keys()]
    const reading: string[] = []
    for (const state of moments) {
      for (const root of [undefined, 0, ENDED]) {
        const from = { keys: 0, ...(state === undefined ? {} : { state }), ...(root === undefined ? {} : { root }) }
        const given = await answersIn(when, from)
        for (const kind of KINDS) if (given[kind].shredded === 'reads') reading.push(`${kind}: state ${state}, root file ${root}`)
      }
    }
    // After the close only with a copy of the root file that has the destroyed version: its owner says how long one exists.
    const roots = when === 'before' ? [undefined, 0, ENDED] : [0, ENDED]
    expect(reading).toEqual(roots.flatMap((root) => KINDS.map((kind) => `${kind}: state 0, root file ${root}`)))
  })
})

test('the tables in docs/erasure-and-backups.md are these', async () => {
  const page = await readFile(new URL('../../../../docs/erasure-and-backups.md', import.meta.url), 'utf8')
  for (const when of WHENS) expect(page).toContain(`\n${[...HEADINGS, ...TABLES[when]].join('\n')}\n\n`)
  const moments = [...MOMENTS.entries()].map(([moment, { name }]) => `${moment} ${name}`)
  expect(page.replaceAll(/\s+/g, ' ')).toContain(`${moments.join(' · ')}.`)
})

test('after the close the tables let what was shredded read in one case only', () => {
  const reading = CELLS.filter(({ expected: { shredded } }) => shredded === 'reads').map(({ when, restored, moment, kind }) => ({
    when,
    restored,
    moment,
    kind,
  }))
  expect(reading).toEqual([
    ...['both stores', 'all three'].flatMap((restored) => KINDS.map((kind) => ({ when: 'before', restored, moment: 0, kind }))),
    ...KINDS.map((kind) => ({ when: 'after', restored: 'all three', moment: 0, kind })),
  ])
})

describe('a rotation half done, put back before the close, and run again', () => {
  const half = [...MOMENTS.keys()].filter((moment) => moment < MARKED)
  const put = [
    ...half.map((moment) => ({ restored: 'key store', from: { keys: moment }, moment })),
    // Both stores from before the shred would know nothing of it.
    ...half.filter((moment) => moment > 0).map((moment) => ({ restored: 'both stores', from: { keys: moment, state: moment }, moment })),
  ]
  for (const { restored, from, moment } of put) {
    test(`${restored} of ${nameOf(moment)}`, async () => {
      const path = await world.folder('before', from)
      await inFolder(path, (vault) => drain(vault.rotateRootKey()))
      expect(await rootStates(path), 'no other root version is made').toEqual(['live', 'live'])
      expect(await answers(path, world.values)).toEqual(expected('before', restored, moment))
      await inFolder(path, (vault) => drain(vault.closeEpoch({ dangerouslyWithoutBackup: true })))
      expect(await answers(path, world.values)).toEqual(expected('before', restored, moment))
      for (const old of [{ keys: 0 }, { keys: 0, state: 0 }]) {
        expect(await answersIn(path, old)).toEqual({ item: DEAD, subject: DEAD, tenant: DEAD })
      }
    })
  }
})

describe('what must be kept', () => {
  test('a copy of the key store has the marker from the end of the rotation on', async () => {
    const markers = await Promise.all([...MOMENTS.keys()].map((moment) => markerIn(world.copyOf('keys', moment))))
    const last = markers[ENDED]
    expect(last).toMatch(/^[\w-]{22}$/)
    expect(markers).toEqual(MOMENTS.map((_, moment) => (moment < MARKED ? undefined : last)))
  })

  test.each([MARKED, ENDED])('the copy of moment %i, put back after the close, is a vault to go on with', async (moment) => {
    const path = await world.folder('after', { keys: moment })
    const stored = await inFolder(path, (vault) => Promise.all([store(vault, ['acme', 'new']), store(vault, ['initech', 'carol', 'new'])]))
    await inFolder(path, async (vault) => {
      await drain(vault.rotateRootKey())
      await drain(vault.closeEpoch({ dangerouslyWithoutBackup: true }))
    })
    expect(await answers(path, world.values)).toEqual(expected('after', 'key store', moment))
    expect(await inFolder(path, (vault) => all(stored, (value) => read(vault, value)))).toEqual(['reads', 'reads'])
  })

  test('an older root file, before the close: no rotation and no close, and nothing is destroyed', async () => {
    const path = await world.folder('before', { root: 0 })
    await inFolder(path, async (vault) => {
      expect(await outcome(drain(vault.rotateRootKey()))).toBe('wrong_root_key')
      expect(await outcome(drain(vault.closeEpoch({ dangerouslyWithoutBackup: true })))).toBe('wrong_root_key')
      expect(await outcome(at(vault, ['globex', 'erin']).shred())).toBe('wrong_root_key')
    })
    expect(await rootStates(path)).toEqual(['live'])
    await world.putBack(path, { root: ENDED })
    expect(await answers(path, world.values)).toEqual(await answersOnce('before', 'root file', ENDED))
  })

  test('an older root file beneath a process that has a newer one open: root_key_file_invalid', async () => {
    const path = await world.folder('after')
    await inFolder(path, async (open) => {
      await cp(world.copyOf('root', ENDED), join(path, 'root.key'))
      expect(await outcome(at(open, ['acme', 'alice']).unlock())).toBe('root_key_file_invalid')
    })
  })

  test('a root file with the destroyed version, put back after the close: closing again destroys it there too', async () => {
    const path = await world.folder('after', { root: ENDED })
    expect(await rootStates(path)).toEqual(['live', 'live'])
    expect(await shredsOf(path)).toMatchObject({ final: 0, blockedBy: ['not_destroyed'] })
    await inFolder(path, (vault) => drain(vault.closeEpoch({ dangerouslyWithoutBackup: true })))
    expect(await rootStates(path)).toEqual(['destroyed', 'live'])
    expect(await shredsOf(path)).toMatchObject({ final: 3, blockedBy: [] })
    expect((await answersIn(path, { keys: 0, state: 0 })).item).toEqual(DEAD)
  })
})

test('status says what of this is final', async () => {
  expect(await shredsOf(await world.folder('before'))).toMatchObject({ final: 0, waiting: { count: 3 }, blockedBy: ['close_needed'] })
  expect(await shredsOf(await world.folder('after'))).toMatchObject({ final: 3, waiting: { count: 0 }, blockedBy: [] })
})

describe('a lost state store', () => {
  test.each(WHENS)('%s the close: repairLedger rebuilds the ledger from the key store', async (when) => {
    for (const moment of MOMENTS.keys()) {
      if (expected(when, 'state store', moment).item.vault === 'opens') continue
      const path = await world.folder(when, { state: moment })
      expect(await repaired(path), `moment ${moment}`).toBeGreaterThan(0)
      expect(await answers(path, world.values)).toEqual(await answersIn(when, {}))
    }
    const empty = await world.folder(when)
    await rm(join(empty, 'state'), { recursive: true })
    expect((await answers(empty, world.values)).item).toEqual({ vault: 'ledger_invalid' })
    expect(await repaired(empty)).toBeGreaterThan(0)
    expect(await answers(empty, world.values)).toEqual(await answersIn(when, {}))
  })
})

describe('both stores of before the shred', () => {
  test.each([
    { when: 'before' as const, from: { keys: 0, state: 0 } },
    { when: 'after' as const, from: { keys: 0, state: 0, root: 0 } },
  ])('are refused, $when the close, by whoever brings the ledger position of a receipt', async ({ when, from }) => {
    const path = await world.folder(when, from)
    for (const kind of KINDS) {
      const { ledger } = world.shreds[kind]
      expect(await outcome(openFolder(path, (options) => ({ ...options, ledgerAtLeast: ledger })))).toBe('ledger_invalid')
    }
  })

  test('of between the rotation and a shred: that is dead when the next epoch closes, not with this one', async () => {
    const path = await world.folder('before')
    const later = {
      item: world.values.item.sameTenant[1],
      subject: world.values.subject.sameTenant[0],
      tenant: world.values.tenant.otherTenant[0],
    }
    const values = Object.values(later) as readonly StoredValue[]
    await inFolder(path, async (vault) => {
      const shreds = [await at(vault, values[0]!.of).shred(), await at(vault, values[1]!.of).shred(), await vault.tenant('globex').shred()]
      expect(shreds.map(({ rootVersion }) => rootVersion)).toEqual([2, 2, 2])
      await drain(vault.closeEpoch({ dangerouslyWithoutBackup: true }))
    })
    const readIn = (of: string): Promise<readonly string[]> => inFolder(of, (vault) => all(values, (value) => read(vault, value)))
    expect(await readIn(await world.folder(path, { keys: ENDED }))).toEqual(['refused', 'refused', 'refused'])
    const both = { keys: ENDED, state: ENDED }
    expect(await readIn(await world.folder(path, both))).toEqual(['reads', 'reads', 'reads'])

    await inFolder(path, async (vault) => {
      await drain(vault.rotateRootKey())
      await drain(vault.closeEpoch({ dangerouslyWithoutBackup: true }))
    })
    expect(await rootStates(path)).toEqual(['destroyed', 'destroyed', 'live'])
    for (const from of [{ keys: ENDED }, both]) expect((await answersIn(path, from)).item).toEqual(DEAD)
  })
})

describe.each(BY_HAND)('records put back by hand: %s', (what) => {
  describe.each(KINDS)('%s shredded', (kind) => {
    const readShredded = (path: string): Promise<readonly string[]> =>
      inFolder(path, async (vault) => [...new Set(await all(world.values[kind].shredded, (value) => read(vault, value)))])

    test('before the close: reads until reconcile', async () => {
      const path = await world.folder('before')
      await putBackByHand(world, path, kind, what)
      expect(await readShredded(path)).toEqual(['reads'])
      await inFolder(path, (vault) => vault.reconcile())
      expect(await readShredded(path)).toEqual(['refused'])
    })

    test('after the close: dead', async () => {
      const path = await world.folder('after')
      await putBackByHand(world, path, kind, what)
      expect(await readShredded(path)).toEqual(['dead'])
      await inFolder(path, (vault) => vault.reconcile())
      expect(await readShredded(path)).toEqual(['refused'])
    })

    test.each([
      { before: 'the close', from: {} },
      // Both stores as they were after the shred, and nothing of the rotation.
      { before: 'the rotation', from: { keys: 1, state: 1, root: 0 } },
    ])('before $before: not carried into the new epoch', async ({ from }) => {
      const path = await world.folder('before', from)
      await putBackByHand(world, path, kind, what)
      await inFolder(path, async (vault) => {
        const close = (): Promise<string> => outcome(drain(vault.closeEpoch({ dangerouslyWithoutBackup: true })))
        if ((await close()) === 'done') return
        await drain(vault.rotateRootKey())
        expect(await close()).toBe('done')
      })
      expect(await readShredded(path)).toEqual(['refused'])
      // Nor is what would open the old record.
      await putBackByHand(world, path, kind, 'node')
      expect(await readShredded(path)).toEqual(['dead'])
    })
  })
})

test('the name of a shredded tenant stays readable in an old copy: it hangs on the vault, not on the tenant', async () => {
  const path = await world.folder('after')
  const names = (): Promise<readonly (string | undefined)[]> =>
    inFolder(path, async (vault) => {
      const found: (string | undefined)[] = []
      for await (const { name } of vault.tenants.list()) found.push(name)
      return found
    })
  expect(await names()).not.toContain('umbrella')
  await putBackByHand(world, path, 'tenant', 'node')
  expect(await names()).toContain('umbrella')
})

async function all<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  return Promise.all(items.map(work))
}

function shredsOf(path: string): Promise<unknown> {
  return inFolder(path, async (vault) => (await vault.status()).regions[0]?.shreds)
}

/** The states of the root versions, as the root file has them. */
async function rootStates(path: string): Promise<readonly unknown[]> {
  const { versions } = JSON.parse(await readFile(join(path, 'root.key'), 'utf8')) as { versions: readonly { state: string }[] }
  return versions.map(({ state }) => state)
}
