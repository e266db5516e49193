// Two processes on the same stores do what fast-check thinks of, are held up, killed and restored over, and after every step each
// value reads, or is refused, as a plain model says: see model-facts.ts (what is so) and model-claims.ts (what may be answered).
//
// A failure prints seed, path, the commands with a replayPath, and what they did. It is replayed to the byte by
//   STRONGROOM_MODEL_SEED=… STRONGROOM_MODEL_PATH=… STRONGROOM_MODEL_REPLAY=… npx vitest run packages/core/test/epochs/model.test.ts
// STRONGROOM_MODEL_RUNS sets the number of sequences. Without a seed they are the same each time; STRONGROOM_MODEL_SEED=random thinks of
// others.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { Model } from './model-claims.ts'
import { anyCommand, type ModelCommand } from './model-commands.ts'
import { seedRandom } from './model-random.ts'
import { type Restored } from './model-backups.ts'
import { Steps, type Tally } from './model-steps.ts'
import { type Process, waitByClock, World } from './model-world.ts'

const RUNS = Number(process.env['STRONGROOM_MODEL_RUNS'] ?? 200)
const MOST_COMMANDS = 30
const SEED = process.env['STRONGROOM_MODEL_SEED'] ?? '1'
const PATH = process.env['STRONGROOM_MODEL_PATH']
const REPLAY = process.env['STRONGROOM_MODEL_REPLAY']
const RESTORES: readonly Restored[] = ['keys', 'state', 'both']

vi.setConfig({ testTimeout: 3_600_000 })

let world: World | undefined
const tally: Tally = new Map()
let restoreTimers: () => void
beforeAll(() => void (restoreTimers = waitByClock(() => world?.clock)))
afterAll(() => restoreTimers())

interface Ending {
  readonly by: number
  /** When what is held up goes on: before the last rotation, between it and the close, after the close; or never. */
  readonly letGo: 'before' | 'between' | 'after' | 'never'
}

async function begin(): Promise<{ readonly model: Model; readonly real: Steps }> {
  const model: Model = new Model(() => world?.clock.now() ?? 0)
  world = await World.make(model, 2)
  const steps = new Steps(model, world, tally)
  for (const tenant of ['acme', 'rival']) await steps.create(tenant, { by: 0 })
  for (const place of ['acme/alice', 'acme/alice/phone', 'rival/bob']) await steps.encrypt(place, { by: 1 })
  return { model, real: steps }
}

// However it stands, a rotation and a close end well; then backups say what they must, and the ledger can be gone through again.
async function finish(steps: Steps, { by, letGo }: Ending): Promise<void> {
  const { model } = steps
  const { processes, held } = steps.world
  const letAllGo = async (): Promise<void> => {
    while (held[0] !== undefined) await steps.letGo(held[0])
  }
  if (letGo === 'never') while (held[0] !== undefined) await steps.letGo(held[0], true)
  if (letGo === 'before') await letAllGo()
  await steps.lookAfterBound()
  expect(await steps.rotateRootKey({ by }, 8)).toBe('done')
  await steps.backUp()
  if (letGo === 'between') await letAllGo()
  if ((await steps.closeEpoch({ by })) !== 'done') {
    await letAllGo()
    expect(await steps.rotateRootKey({ by }, 8)).toBe('done')
    expect(await steps.closeEpoch({ by })).toBe('done')
  }
  await letAllGo()
  await steps.lookAfterBound()
  for (const backup of model.backups) for (const restored of RESTORES) await steps.tryRestore(backup, restored)
  for (const { vault } of processes) await vault.reconcile()
  await steps.lookAfterBound()
  model.check()
  for (const { vault } of processes as readonly Process[]) await vault.close()
}

const anyEnding: fc.Arbitrary<Ending> = fc.record({
  by: fc.nat({ max: 1 }),
  letGo: fc.constantFrom('before', 'between', 'after', 'never'),
})

async function run(commands: Iterable<ModelCommand>, ending: Ending): Promise<void> {
  const unseed = seedRandom(1)
  const made = await begin()
  try {
    await fc.asyncModelRun(() => made, commands)
    await finish(made.real, ending)
  } catch (error) {
    throw new Error(`${String(error)}\n\n${made.real.trail.join('\n')}\n`, { cause: error })
  } finally {
    unseed()
  }
}

test(`${RUNS} sequences of operations, crashes and restores: every value reads, or is refused, as the model says`, async () => {
  const commands = fc.commands([anyCommand], {
    maxCommands: MOST_COMMANDS,
    size: 'max',
    ...(REPLAY === undefined ? {} : { replayPath: REPLAY }),
  })
  await fc.assert(fc.asyncProperty(commands, anyEnding, run), {
    numRuns: RUNS,
    ...(SEED === 'random' ? {} : { seed: Number(SEED) }),
    ...(PATH === undefined ? {} : { path: PATH, endOnFailure: true }),
  })
  console.log(
    [...tally]
      .toSorted()
      .map(([what, times]) => `${times} ${what}`)
      .join('\n'),
  )
})
