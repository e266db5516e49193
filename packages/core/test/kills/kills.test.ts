import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { Crew, mulberry32, type Role, type WriterFate, Writing } from './crew.ts'
import { BESIDE, type OperationName, OPERATIONS, type Task } from './operations.ts'
import { endAll, type Event, Pool, type Process } from './process.ts'
import { Folder, type Round } from './round.ts'
import { type Phase, Tally } from './tally.ts'

// Two processes run one operation in one vault while a third writes; they are killed at random instants. Then a fresh process runs the
// operation to its end: every living value reads, and no shredded one.
const KILLS = Number(process.env['STRONGROOM_KILLS'] ?? 20)
// Both decide what is done and when each kill is due, not how far a process has come by then: the same seed is a similar run.
const seed = Number(process.env['STRONGROOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
// A kill that is late counts where it struck; so many more are tried before a phase that none has met is a failure.
const MOST_ROUNDS = 3 * KILLS + 100

// Nothing here is about time; a machine that does other things as well may be slow.
vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 600_000 })

const pool = new Pool(1)
const crew = new Crew(pool)
const tally = new Tally()
// A few kills cannot meet all phases.
const unmet = () => (KILLS >= 40 ? tally.untouched : [])
let folder: Folder

beforeAll(async () => {
  folder = await Folder.make(pool)
})
afterAll(async () => {
  await endAll()
  await folder.remove()
})

/** A kill that is to come: armed once the process is in a phase, and due at a random instant of it. */
class Kill {
  readonly #process: Process
  readonly #aim: Phase | undefined
  readonly #share: number
  #now: { readonly phase: Phase; readonly since: number } | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #fired = false

  /** @param aim - `undefined`: the process lives */
  constructor(process: Process, aim: Phase | undefined, share: number) {
    this.#process = process
    this.#aim = aim
    this.#share = share
  }

  enter(phase: Phase): void {
    const at = performance.now()
    if (this.#now !== undefined && this.#now.phase.phase !== phase.phase) tally.took(this.#now.phase, at - this.#now.since)
    if (this.#now?.phase.phase === phase.phase) return
    this.#now = { phase, since: at }
    if (phase.phase !== this.#aim?.phase || this.#timer !== undefined) return
    const wait = this.#share * tally.span(phase)
    // A timer would be late for an instant.
    if (wait < 1) this.#fire()
    else this.#timer = setTimeout(() => this.#fire(), wait)
  }

  /** Once the process has come to the end of its work, or is dead. */
  async end(lived: boolean): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#fired) expect(await this.#process.ended).toBe('SIGKILL')
    if (!lived && this.#now !== undefined) tally.count(this.#now.phase)
  }

  #fire(): void {
    this.#fired = true
    this.#process.kill()
  }
}

async function run(round: Round, role: Role, task: Task, aim: Phase | undefined, random: () => number): Promise<boolean> {
  const { operation } = task
  const process = await crew.open(role)
  const kill = new Kill(process, aim, random())
  const onEvent = ({ phase }: Event): void => {
    if (phase !== undefined) kill.enter({ operation, phase: phase as string })
  }
  const lived = await round.operate(process, task, onEvent, { slows: aim?.phase })
  await kill.end(lived)
  return lived
}

/** The first writer of a round is killed as well, if it has a phase to be killed in. */
function writerFate(process: Process, aim: Phase | undefined, random: () => number): WriterFate {
  const kill = new Kill(process, aim, random())
  return {
    onEvent({ will }) {
      if (will !== undefined) kill.enter({ operation: undefined, phase: will as string })
    },
    onEnd: (lived) => kill.end(lived),
  }
}

interface Plan {
  readonly task: Task
  /** What the other runner runs. */
  readonly beside: Task
  /** In which phase each is killed; `undefined`: it is not. */
  readonly runner: Phase | undefined
  readonly other: Phase | undefined
  readonly writer: Phase | undefined
  /** And whoever begins anew. */
  readonly again: Phase | undefined
  /** Whether everything is read before anybody begins anew. */
  readonly looks: boolean
}

function plan(random: () => number): Plan {
  const maybe = (share: number, phase: () => Phase): Phase | undefined => (random() < share ? phase() : undefined)
  const first = tally.least(random)
  const operation = first.operation ?? pick(random, Object.keys(OPERATIONS) as OperationName[])
  const task = { operation, places: pick(random, OPERATIONS[operation].targets) }
  const beside = random() < 0.3 ? pick(random, BESIDE) : task
  const of = (one: Task | undefined): Phase => tally.least(random, (phase) => phase.operation === one?.operation)
  return {
    task,
    beside,
    runner: first.operation === undefined ? maybe(0.5, () => of(task)) : first,
    other: maybe(0.5, () => of(beside)),
    writer: first.operation === undefined ? first : maybe(0.2, () => of(undefined)),
    again: maybe(0.4, () => of(task)),
    looks: random() < 0.5,
  }
}

async function carryOut({ task, beside, runner, other, writer, again, looks }: Plan, random: () => number): Promise<void> {
  const round = await folder.round(task, beside)
  await crew.begin(round)
  const writing = new Writing(crew, round, random, (process) => writerFate(process, writer, random))
  const lived = await Promise.all([run(round, 'runner', task, runner, random), run(round, 'other runner', beside, other, random)])
  if (looks) await round.check(await crew.any('checker'), 'at work')

  // Whoever was killed is replaced by a process that begins anew; and may be killed again.
  const role = lived[0] ? 'other runner' : 'runner'
  if (again !== undefined) await run(round, role, task, again, random)
  const last = await crew.open(role)
  await round.finish(last)
  await writing.stop()
  await round.retire(last)
  await round.check(await crew.any('checker'), 'at rest')
  await crew.end()
}

test(`${KILLS} kills at random instants: what lives reads, what was shredded does not, and the rerun finishes`, async () => {
  console.log(`seed ${seed}`)
  let rounds = 0
  while (rounds < MOST_ROUNDS && (tally.kills < KILLS || unmet().length > 0)) {
    const random = mulberry32(seed + rounds++)
    const next = plan(random)
    try {
      await carryOut(next, random)
    } catch (error) {
      throw new Error(`seed ${seed}, round ${rounds}, ${JSON.stringify(next)}: ${String(error)}`, { cause: error })
    }
  }
  console.log(`seed ${seed}: ${tally.kills} kills in ${rounds} rounds\n${String(tally)}`)
  expect(unmet()).toEqual([])
  expect(tally.kills).toBeGreaterThanOrEqual(KILLS)
})

function pick<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T
}
