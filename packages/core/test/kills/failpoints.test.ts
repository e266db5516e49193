import { FAILPOINTS, type Failpoint } from '@strongroom/core/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { until } from '../races/support.ts'
import { Crew, mulberry32, Writing } from './crew.ts'
import { type OperationName, OPERATIONS } from './operations.ts'
import { endAll, Pool } from './process.ts'
import { Folder } from './round.ts'

// A process kills itself at a named failpoint, while another runs the same operation and a third writes.

interface Case {
  readonly operation: OperationName
  /** The process that dies is the writer, beside two that run the operation. */
  readonly writer?: true
  /** Which passing of the failpoint is its last. */
  readonly passings: readonly number[]
  /** Where the other runner waits until it is dead, if not at the same: else that could leave it nothing to do. */
  readonly waits?: Failpoint
}

const CASES: Readonly<Record<Failpoint, readonly Case[]>> = {
  'shred.marked': [
    { operation: 'shred', passings: [1, 2] },
    { operation: 'shredMany', passings: [1] },
  ],
  'shred.entered': [
    { operation: 'shred', passings: [1, 2], waits: 'shred.marked' },
    { operation: 'shredMany', passings: [1], waits: 'shred.marked' },
    { operation: 'retireVersion', passings: [1], waits: 'version.counted' },
  ],
  'shred.applied': [
    { operation: 'shred', passings: [1, 2], waits: 'shred.marked' },
    { operation: 'shredMany', passings: [1], waits: 'shred.marked' },
  ],
  'shred.marked-again': [
    { operation: 'shred', passings: [1, 2], waits: 'shred.marked' },
    { operation: 'shredMany', passings: [1], waits: 'shred.marked' },
  ],
  'shred.done': [
    { operation: 'shred', passings: [1, 2], waits: 'shred.marked' },
    { operation: 'shredMany', passings: [1], waits: 'shred.marked' },
  ],
  'recreate.entered': [{ operation: 'recreate', passings: [1, 2] }],
  'recreate.stored': [{ operation: 'recreate', passings: [1, 2], waits: 'recreate.entered' }],
  'node.made': [
    { operation: 'rotateRootKey', writer: true, passings: [1, 2] },
    { operation: 'closeEpoch', writer: true, passings: [1, 2] },
  ],
  'node.stored': [
    { operation: 'rotateRootKey', writer: true, passings: [1, 2] },
    { operation: 'closeEpoch', writer: true, passings: [1, 2] },
  ],
  'wrapping-key.made': [
    { operation: 'rotateRootKey', writer: true, passings: [1, 2] },
    { operation: 'closeEpoch', writer: true, passings: [1] },
    { operation: 'rotateTenantKey', passings: [1] },
    { operation: 'rotateRootKey', passings: [1] },
  ],
  'wrapping-key.stored': [
    { operation: 'rotateRootKey', writer: true, passings: [1, 2] },
    { operation: 'closeEpoch', writer: true, passings: [1] },
    { operation: 'rotateTenantKey', passings: [1], waits: 'wrapping-key.made' },
    { operation: 'rotateRootKey', passings: [1], waits: 'wrapping-key.made' },
  ],
  'root.created': [{ operation: 'rotateRootKey', passings: [1] }],
  'root.announced': [{ operation: 'rotateRootKey', passings: [1] }],
  'wrap.made': [{ operation: 'rotateRootKey', passings: [1, 2] }],
  'wrap.stored': [{ operation: 'rotateRootKey', passings: [1, 2], waits: 'wrap.made' }],
  'move.begun': [
    { operation: 'rotateRootKey', passings: [1, 2] },
    { operation: 'rotateTenantKey', passings: [1] },
  ],
  'move.waited': [
    { operation: 'rotateRootKey', passings: [1] },
    { operation: 'rotateTenantKey', passings: [1] },
  ],
  'move.read': [
    { operation: 'rotateRootKey', passings: [1, 2] },
    { operation: 'rotateTenantKey', passings: [1, 2] },
  ],
  'move.rewrapped': [
    { operation: 'rotateRootKey', passings: [1, 2], waits: 'move.read' },
    { operation: 'rotateTenantKey', passings: [1, 2], waits: 'move.read' },
    { operation: 'rotateSubjectKey', passings: [1, 2], waits: 'move.read' },
  ],
  'move.rescanned': [
    { operation: 'rotateRootKey', passings: [1, 2], waits: 'move.read' },
    { operation: 'rotateTenantKey', passings: [1] },
  ],
  'move.retired': [
    { operation: 'rotateRootKey', passings: [1, 2], waits: 'move.read' },
    { operation: 'rotateTenantKey', passings: [1] },
  ],
  'epoch.marked': [{ operation: 'rotateRootKey', passings: [1] }],
  'close.announced': [{ operation: 'closeEpoch', passings: [1] }],
  'close.waited': [{ operation: 'closeEpoch', passings: [1] }],
  'close.rescanned': [{ operation: 'closeEpoch', passings: [1] }],
  'close.destroyed': [{ operation: 'closeEpoch', passings: [1] }],
  'close.entered': [{ operation: 'closeEpoch', passings: [1] }],
  'close.noted': [{ operation: 'closeEpoch', passings: [1] }],
  'version.stored': [{ operation: 'rotateSubjectKey', passings: [1] }],
  'version.waited': [{ operation: 'rotateSubjectKey', passings: [1] }],
  'child.moved': [{ operation: 'rotateSubjectKey', passings: [1], waits: 'version.waited' }],
  'version.counted': [{ operation: 'retireVersion', passings: [1] }],
}

// Nothing here is about time; a machine that does other things as well may be slow.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const MOST_TRIES = 5
const seed = Number(process.env['STRONGROOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const pool = new Pool(1)
const crew = new Crew(pool)
let folder: Folder

beforeAll(async () => {
  console.log(`seed ${seed}`)
  folder = await Folder.make(pool)
})
afterAll(async () => {
  await endAll()
  await folder.remove()
})

/** @returns whether the process came to its end there */
async function diesAt(at: Failpoint, { operation, writer, waits = at }: Case, passings: number): Promise<boolean> {
  const random = mulberry32(seed)
  const [places] = OPERATIONS[operation].targets
  const round = await folder.round({ operation, places: places ?? [] })
  await crew.begin(round)
  const dies = { at, passings }
  let died = false
  const fate = { dies, onEnd: async (lived: boolean): Promise<void> => void (died = !lived) }
  const writing = new Writing(crew, round, random, () => (writer ? fate : {}))
  if (writer) {
    const runners = await Promise.all([crew.open('runner'), crew.open('other runner')])
    expect(await Promise.all(runners.map((runner) => round.operate(runner)))).toEqual([true, true])
    await until(() => died, 'the writer comes to the failpoint')
  } else {
    const other = await crew.open('other runner')
    const othersEnd = round.operate(other, round.task, undefined, { waits })
    died = !(await round.operate(await crew.open('runner'), round.task, undefined, { dies }))
    await other.run('release')
    expect(await othersEnd).toBe(true)
  }
  await round.check(await crew.any('checker'), 'at work')
  const last = await crew.open('runner')
  await round.finish(last)
  await writing.stop()
  await round.retire(last)
  await round.check(await crew.any('checker'), 'at rest')
  await crew.end()
  return died
}

async function mustDieAt(at: Failpoint, how: Case, passings: number): Promise<void> {
  try {
    // A writer whose reconciling does the step first leaves nothing to come to the failpoint for.
    for (let tries = 1; !(await diesAt(at, how, passings)); tries++)
      expect(tries, 'the failpoint was to be reached').toBeLessThan(MOST_TRIES)
  } catch (error) {
    await crew.disband()
    throw error
  }
}

test('every failpoint has its cases', () => {
  expect(Object.keys(CASES).toSorted()).toEqual([...FAILPOINTS].toSorted())
})

for (const at of FAILPOINTS) {
  for (const one of CASES[at]) {
    for (const passing of one.passings) {
      const who = one.writer === undefined ? 'a runner of' : 'a writer beside'
      test(`${at}, passing ${passing}: the end of ${who} ${one.operation}`, () => mustDieAt(at, one, passing))
    }
  }
}
