import { afterAll, expect, test, vi } from 'vitest'

import { Ended, Folder, FULL, inParallel, type OpenHow, read, startWorker, stopWorkers, type StoredValue } from './support.ts'

// Two processes at a time work in one vault, and are killed at random instants. What they had said was done, is done.
const KILLS = FULL ? 400 : 40
const LANES = 2
const seed = Number(process.env['STRONGROOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

// Nothing here is about time; a machine that does other things as well may be slow.
vi.setConfig({ testTimeout: FULL ? 3_600_000 : 600_000 })

let folder: Folder
afterAll(async () => {
  await stopWorkers()
  await folder.remove()
})

type State = 'live' | 'suspended' | 'shredded'

interface Known {
  readonly value: StoredValue
  state: State
  /** What was under way when its process died: one of two states then, and from the next look on always the same. */
  pending: State | undefined
}

const AFTER: Readonly<Record<string, State>> = { encrypt: 'live', shred: 'shredded', suspend: 'suspended', resume: 'live' }
const READS: Readonly<Record<State, true | string>> = { live: true, suspended: 'suspended', shredded: 'shredded' }

/** One lane's subjects: no two lanes work on the same, so that the order of what is said is the order of what was done. */
class Lane {
  readonly known = new Map<string, Known>()
  said = 0

  hear(tenant: string, event: Record<string, unknown>): void {
    this.said++
    const subject = event['subject'] as string
    if (event['will'] !== undefined) {
      ;(this.known.get(subject) as Known).pending = AFTER[event['will'] as string]
      return
    }
    const state = AFTER[event['did'] as string] as State
    if (event['did'] === 'encrypt') {
      const value = { place: { tenant, subject }, value: `${subject}@example.com`, stored: event['stored'] as Uint8Array }
      this.known.set(subject, { value, state, pending: undefined })
    } else Object.assign(this.known.get(subject) as Known, { state, pending: undefined })
  }

  /** Compares with what another process reads, and settles what was under way. */
  settle(reads: readonly (true | string)[]): void {
    for (const [i, one] of [...this.known.values()].entries()) {
      if (one.pending !== undefined && reads[i] === READS[one.pending]) one.state = one.pending
      one.pending = undefined
      expect(reads[i], `${one.value.place.subject}, seed ${seed}`).toBe(READS[one.state])
    }
  }

  get values(): readonly StoredValue[] {
    return [...this.known.values()].map(({ value }) => value)
  }
}

test(`${KILLS} kills at random instants: what was acknowledged holds`, async () => {
  console.log(`seed ${seed}`)
  let state = seed
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
  folder = await Folder.make()
  const maker = startWorker()
  const how: OpenHow = await folder.vault(maker)
  await maker.run('create', { tenant: 'acme' })
  await maker.run('close')

  const lanes = Array.from({ length: LANES }, () => new Lane())
  const plans = Array.from({ length: KILLS }, () => ({
    fromStart: random() < 0.2,
    wait: random(),
    messages: Math.floor(random() * 16),
    seed: Math.floor(random() * 2 ** 31),
  }))
  await inParallel(LANES, lanes, async (lane, at) => {
    for (const [round, plan] of plans.entries()) {
      if (round % LANES !== at) continue
      const worker = startWorker()
      // One in five while it starts and opens the vault; the others in the midst of work, after so many messages and a little.
      let left = plan.messages
      worker.onEvent = (event) => {
        lane.hear('acme', event)
        if (left-- === 0) setTimeout(() => worker.kill(), plan.wait * 40)
      }
      if (plan.fromStart) setTimeout(() => worker.kill(), plan.wait * 600)
      try {
        await worker.run('open', how)
        lane.settle(await read(worker, lane.values))
        const subjects = [...lane.known].map(([subject, known]) => ({ subject, state: known.state }))
        await worker.run('churn', { tenant: 'acme', seed: plan.seed, subjects, prefix: `${at}-${round}` })
      } catch (error) {
        // Nothing that one process does, or leaves half done, may make another fail: it ends by being killed and in no other way.
        if (!(error instanceof Ended)) throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
      }
      expect(await worker.ended).toBe('SIGKILL')
    }
  })

  const last = startWorker()
  await last.run('open', how)
  for (const lane of lanes) lane.settle(await read(last, lane.values))
  const all = lanes.flatMap(({ known }) => [...known.values()])
  const { entries } = await last.run<{ entries: number }>('reconcile')
  for (const lane of lanes) lane.settle(await read(last, lane.values))
  console.log(
    `${KILLS} kills, ${lanes.reduce((sum, { said }) => sum + said, 0)} messages, ${entries} ledger entries, ` +
      `${all.length} subjects: ${(['live', 'suspended', 'shredded'] as const).map((one) => `${all.filter((known) => known.state === one).length} ${one}`).join(', ')}`,
  )
  expect(all.filter((known) => known.state === 'shredded').length).toBeGreaterThan(0)
  expect(all.filter((known) => known.state === 'live').length).toBeGreaterThan(0)
  await last.run('close')
})
