import { NodeKind } from '@strongroom/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import {
  Ended,
  Folder,
  FULL,
  inParallel,
  type OpenHow,
  outcome,
  type PlaceNames,
  read,
  records,
  startWorker,
  stopWorkers,
  store,
  type StoredValue,
  type Worker,
} from './support.ts'

// A process kills itself (SIGKILL) right before its first write and right after each: every state that a crash between writes
// can leave in the stores. The full mode does it around every call, and while it is under way. Then another process opens what is left.
const AT = FULL ? 'calls' : 'writes'

const alice: PlaceNames = { tenant: 'acme', subject: 'alice' }
const hubspot: PlaceNames = { ...alice, item: 'hubspot' }
const places: readonly PlaceNames[] = [
  alice,
  hubspot,
  { ...alice, item: 'zoom' },
  { tenant: 'acme', subject: 'bob' },
  { tenant: 'acme', subject: 'bob', item: 'hubspot' },
  { tenant: 'globex', subject: 'alice' },
  { tenant: 'globex', subject: 'alice', item: 'hubspot' },
]

// Nothing here is about time; a machine that does other things as well may be slow.
vi.setConfig({ testTimeout: FULL ? 3_600_000 : 600_000 })

let folder: Folder
// One process opens all that is left, none of it twice without the death of another: to each vault it is a fresh one.
let verifier: Worker
// What every case starts from, with no process that has it open: all places hold a value, and hers are suspended in the second.
let active: OpenHow
let suspended: OpenHow
let values: readonly StoredValue[]
let entriesBefore: { readonly active: number; readonly suspended: number }
const kills: Record<string, number> = {}

beforeAll(async () => {
  folder = await Folder.make(['eu', 'us'])
  verifier = startWorker()
  active = await folder.vault(verifier)
  for (const tenant of ['acme', 'globex']) await verifier.run('create', { tenant })
  const stored: StoredValue[] = []
  for (const place of places) stored.push(await store(verifier, place, `${place.item ?? ''}@${place.subject}.${place.tenant}`))
  values = stored
  const before = await entries()
  await verifier.run('close')
  suspended = await folder.copy(active)
  await verifier.run('open', suspended)
  for (const place of [{ tenant: 'acme' }, alice, hubspot]) await verifier.run('suspend', { place })
  entriesBefore = { active: before, suspended: await entries() }
  await verifier.run('close')
})
afterAll(async () => {
  await stopWorkers()
  await folder.remove()
  console.log(`kills: ${JSON.stringify(kills)}, ${Object.values(kills).reduce((sum, count) => sum + count, 0)} in all`)
})

interface Doom {
  readonly k: number
  readonly when: string
}

/** Has fresh processes do a task, each on a copy of its own, and die at each point of it; `check` gets what is left, not yet opened. */
async function killEverywhere(
  name: string,
  from: OpenHow,
  task: string,
  args: object | undefined,
  check: (left: OpenHow) => Promise<void>,
): Promise<void> {
  const attempt = async (worker: Worker, doom: Doom, left: OpenHow): Promise<number> => {
    // Without arguments, the task is about the vault as a whole.
    if (args !== undefined) await worker.run('open', left)
    return worker.run<number>('doomed', { task, args: args ?? left, doom: { ...doom, at: AT } })
  }
  const made = await attempt(verifier, { k: Infinity, when: 'never' }, await folder.copy(from))
  if (task !== 'init') await verifier.run('close')
  expect(made).toBeGreaterThan(0)
  const instants = (k: number): string[] => (FULL ? ['before', 'during', 'after'] : k === 1 ? ['before', 'after'] : ['after'])
  const dooms = Array.from({ length: made }, (_, i) => instants(i + 1).map((when) => ({ k: i + 1, when }))).flat()
  let turn = Promise.resolve()
  await inParallel(2, dooms, async (doom) => {
    const left = await folder.copy(from)
    const worker = startWorker()
    const died = await attempt(worker, doom, left).then(
      () => false,
      (error: unknown) => error instanceof Ended,
    )
    worker.kill()
    expect([died, await worker.ended], `${name}: the process was to die ${doom.when} ${AT} ${doom.k} of ${made}`).toEqual([true, 'SIGKILL'])
    kills[name] = (kills[name] ?? 0) + 1
    turn = turn.then(async () => {
      try {
        await check(left)
      } catch (error) {
        throw new Error(`${name}: killed ${doom.when} ${AT} ${doom.k} of ${made}: ${String(error)}`, { cause: error })
      }
    })
    await turn
  })
}

async function entries(): Promise<number> {
  return (await verifier.run<{ entries: number }>('reconcile')).entries
}

/** Whether a place is the given one or beneath it. */
function isIn(place: PlaceNames, above: PlaceNames): boolean {
  return (
    place.tenant === above.tenant &&
    (above.subject === undefined || place.subject === above.subject) &&
    (above.item === undefined || place.item === above.item)
  )
}

/** What reading every value must give where one place, and all beneath it, is refused. */
function expected(victim: PlaceNames, code: string | undefined): readonly (true | string)[] {
  return values.map(({ place }) => (isIn(place, victim) ? (code ?? true) : true))
}

describe.each([
  { level: 'subject', place: alice },
  { level: 'item', place: hubspot },
  { level: 'tenant', place: { tenant: 'acme' } },
])('$level', ({ level, place }) => {
  test('shred', async () => {
    await killEverywhere(`shred ${level}`, active, 'shred', { place }, async (left) => {
      await verifier.run('open', left)
      // Either it is in the ledger, and then she is refused everywhere, or nothing has happened to her.
      const begun = (await read(verifier, values)) as readonly (true | string)[]
      const noted = (await entries()) > entriesBefore.active
      expect(begun).toEqual(expected(place, noted ? 'shredded' : undefined))
      await verifier.run('shred', { place })
      await verifier.run('shred', { place })
      await verifier.run('close')

      await verifier.run('open', left)
      expect(await read(verifier, values)).toEqual(expected(place, 'shredded'))
      expect(await outcome(verifier.run('encrypt', { place: { ...hubspot, ...place }, value: 'x' }))).toBe('shredded')
      // Once in the ledger, however often it was begun; and every wrapping key of that tenant is marked, no other.
      expect(await entries()).toBe(entriesBefore.active + 1)
      const { wrappingKeys, nodes } = await records(verifier)
      const acme = nodes.find(({ states }) => states.includes(4))?.tenantRef
      expect(wrappingKeys.filter(({ marked }) => marked).map(({ tenantRef }) => tenantRef)).toEqual([acme])
      await verifier.run('close')
    })
  })

  test.each([
    { task: 'suspend', undo: 'resume', code: 'suspended' },
    { task: 'resume', undo: 'suspend', code: undefined },
  ])('$task', async ({ task, undo, code }) => {
    const from = task === 'suspend' ? active : suspended
    const before = task === 'suspend' ? entriesBefore.active : entriesBefore.suspended
    // In the second vault all three levels are suspended: of her path, the others are resumed by the verifier.
    const above =
      task === 'suspend' ? [] : [{ tenant: 'acme' }, alice, hubspot].filter((other) => JSON.stringify(other) !== JSON.stringify(place))
    await killEverywhere(`${task} ${level}`, from, task, { place }, async (left) => {
      await verifier.run('open', left)
      for (const other of above) await verifier.run('resume', { place: other })
      const begun = await read(verifier, values)
      // Counting goes through the whole ledger and puts right what it finds: not before the look at what opening has done.
      const noted = (await entries()) > before + above.length
      expect(begun).toEqual(expected(place, noted === (task === 'suspend') ? 'suspended' : undefined))
      await verifier.run(task, { place })
      expect(await read(verifier, values)).toEqual(expected(place, code))
      await verifier.run('close')

      await verifier.run('open', left)
      expect(await read(verifier, values)).toEqual(expected(place, code))
      expect(await entries()).toBe(before + above.length + 1)
      await verifier.run(undo, { place })
      expect(await read(verifier, values)).toEqual(expected(place, code === undefined ? 'suspended' : undefined))
      await verifier.run('close')
    })
  })
})

test('shred of a place that nobody has used: it is occupied', async () => {
  const nobody = { tenant: 'acme', subject: 'nobody' }
  await killEverywhere('shred nobody', active, 'shred', { place: nobody }, async (left) => {
    await verifier.run('open', left)
    await verifier.run('shred', { place: nobody })
    await verifier.run('close')
    await verifier.run('open', left)
    expect(await outcome(verifier.run('encrypt', { place: nobody, value: 'x' }))).toBe('shredded')
    expect(await read(verifier, values)).toEqual(values.map(() => true))
    expect(await entries()).toBe(entriesBefore.active + 1)
    await verifier.run('close')
  })
})

test.each([
  { region: 'eu', newEntries: 0 },
  // The first of its region: its root version goes into the ledger.
  { region: 'us', newEntries: 1 },
])('tenants.create in $region', async ({ region, newEntries }) => {
  const args = { tenant: 'initech', region }
  await killEverywhere(`tenants.create ${region}`, active, 'create', args, async (left) => {
    await verifier.run('open', left)
    expect(['ok', 'already_exists']).toContain(await outcome(verifier.run('create', args)))
    const all = [...values, await store(verifier, { tenant: 'initech', subject: 'alice' })]
    await verifier.run('close')

    await verifier.run('open', left)
    expect(await outcome(verifier.run('create', args))).toBe('already_exists')
    expect(await read(verifier, all)).toEqual(all.map(() => true))
    const listed = await verifier.run<{ name: string; region: string }[]>('tenants')
    expect(listed.map((tenant) => `${tenant.name} ${tenant.region}`).sort()).toEqual(['acme eu', 'globex eu', `initech ${region}`])
    expect(await entries()).toBe(entriesBefore.active + newEntries)
    expect((await records(verifier)).wrappingKeys).toHaveLength(4)
    await verifier.run('close')
  })
})

test.each([
  { what: 'subject', place: { tenant: 'acme', subject: 'carol' }, nodes: 1 },
  { what: 'item', place: { ...alice, item: 'slack' }, nodes: 1 },
  { what: 'item and subject', place: { tenant: 'acme', subject: 'carol', item: 'slack' }, nodes: 2 },
])('first encrypt: $what', async ({ what, place, nodes }) => {
  await killEverywhere(`first encrypt, ${what}`, active, 'encrypt', { place, value: 'lost@example.com' }, async (left) => {
    await verifier.run('open', left)
    const all = [...values, await store(verifier, place)]
    const here = (await records(verifier)).nodes
    await verifier.run('close')

    await verifier.run('open', left)
    expect(await read(verifier, all)).toEqual(all.map(() => true))
    // Vault, `ref`, ledger and signing key; two tenants, each with its `ref` key; the places.
    expect(here).toHaveLength(4 + 4 + places.length + nodes)
    expect(here.filter(({ states }) => states.length !== 1 || states[0] !== 1)).toEqual([])
    await verifier.run('close')
  })
})

test('initVault', async () => {
  const empty = await folder.empty()
  const init = async (left: OpenHow): Promise<void> => {
    const opened = await outcome(verifier.run('open', left))
    expect(['ok', 'vault_not_initialised']).toContain(opened)
    if (opened === 'ok') await verifier.run('close')
    expect(await outcome(verifier.run('init', left))).toBe(opened === 'ok' ? 'already_exists' : 'ok')
    await verifier.run('open', left)
    await verifier.run('create', { tenant: 'acme' })
    const value = await store(verifier, alice)
    await verifier.run('close')
    await verifier.run('open', left)
    expect(await read(verifier, [value])).toEqual([true])
    expect(await entries()).toBe(1)
    expect((await records(verifier)).nodes).toHaveLength(4 + 2 + 1)
    await verifier.run('close')
  }
  await killEverywhere('initVault', empty, 'init', undefined, init)
})

test('openVault that puts right what another left half done', async () => {
  // Dies between the ledger entry and its effect; so does everyone who opens it then, at each write of theirs.
  const half = await folder.copy(active)
  const worker = startWorker()
  await worker.run('open', half)
  await worker.run('hold', { name: 'effect', call: 'keys.put', type: 'node', kind: NodeKind.subject })
  worker.run('shred', { place: alice }).catch(() => undefined)
  await worker.run('held', { name: 'effect' })
  worker.kill()
  await worker.ended
  await killEverywhere('openVault', half, 'open', undefined, async (left) => {
    await verifier.run('open', left)
    expect(await read(verifier, values)).toEqual(expected(alice, 'shredded'))
    expect(await entries()).toBe(entriesBefore.active + 1)
    await verifier.run('close')
  })
})
