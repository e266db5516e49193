// Random interleavings of all that can happen to erasures, against a model: no path reads behind an erasure, none destroys before its time or
// under a hold, and every request ends.
import { type Encrypted, initVault, type Item, openVault, type PlaceState, type Tenant, type Vault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { createErasure, type Erasure, sweep, verifyCertificate } from '@strongroom/erasure'
import { FAILPOINTS, withFailpoints } from '@strongroom/erasure/testing'
import { days, hours, minutes } from '@strongroom/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { all, APART, closeEpoch, email, GRACE, outcome, policy, type Rows, rowsOf, START } from './support.ts'

const RUNS = Number(process.env['STRONGROOM_MODEL_RUNS'] ?? 10)
const PEOPLE = ['alice', 'bob'] as const
const PLACES = [...PEOPLE, 'alice/mail'] as const
type PlaceName = (typeof PLACES)[number] | 'acme'

type Action =
  | { readonly do: 'write' | 'cancel' | 'hold' | 'release' | 'recreate'; readonly place: PlaceName }
  | { readonly do: 'request'; readonly place: PlaceName; readonly grace?: number }
  /** By another way than an erasure; then what is left is asked for. */
  | { readonly do: 'shred'; readonly place: PlaceName }
  | { readonly do: 'pass'; readonly hours: number }
  /** Time passes, and sweeps run all along: what is due then is destroyed. */
  | { readonly do: 'cron'; readonly days: number }
  | { readonly do: 'sweep' }
  | { readonly do: 'fail' | 'mend' }
  /** The next thing that is done is killed there. */
  | { readonly do: 'kill'; readonly at: (typeof FAILPOINTS)[number] }
  /** A clock that is wrong for a while, and sweeps, and takes back. */
  | { readonly do: 'wrong clock'; readonly by: number; readonly sweeps: number; readonly cancels?: PlaceName }

const place = fc.constantFrom<PlaceName>(...PLACES, 'alice', 'bob')
const anyPlace = fc.oneof({ weight: 12, arbitrary: place }, { weight: 1, arbitrary: fc.constant<PlaceName>('acme') })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), place }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('request' as const), place: anyPlace }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('request' as const), place, grace: fc.constantFrom(0, days(3)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shred' as const), place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), place: anyPlace }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), place: anyPlace }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), place: anyPlace }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('cron' as const), days: fc.constantFrom(1, 16, 31) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('recreate' as const), place }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), hours: fc.constantFrom(1, 5, 24 * 2, 24 * 16, 24 * 31) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'mend' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const), at: fc.constantFrom(...FAILPOINTS) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wrong clock' as const),
      by: fc.constantFrom(-days(400), -hours(3), minutes(30), hours(3), days(29), days(31), days(4000)),
      sweeps: fc.integer({ min: 1, max: 4 }),
      cancels: fc.option(place, { nil: 'bob' as const }),
    }),
  },
)

/** What happens to one place in a row: by chance alone it would seldom come so far. */
const STORIES: readonly ((of: PlaceName) => readonly Action[])[] = [
  (of) => [
    { do: 'kill', at: 'request.noted' },
    { do: 'request', place: of },
  ],
  (of) => [
    { do: 'request', place: of },
    { do: 'wrong clock', by: days(31), sweeps: 3 },
  ],
  (of) => [
    { do: 'request', place: of },
    { do: 'cron', days: 16 },
    { do: 'cancel', place: of },
    { do: 'write', place: of },
  ],
  (of) => [{ do: 'request', place: of, grace: 0 }, { do: 'recreate', place: of }, { do: 'write', place: of }, { do: 'sweep' }],
  (of) => [
    { do: 'request', place: of },
    { do: 'cron', days: 31 },
    { do: 'recreate', place: of },
    { do: 'write', place: of },
    { do: 'cron', days: 16 },
  ],
  (of) => [
    { do: 'hold', place: of },
    { do: 'request', place: of },
    { do: 'cron', days: 31 },
    { do: 'release', place: of },
    { do: 'sweep' },
  ],
  (of) => [
    { do: 'hold', place: of },
    { do: 'shred', place: of },
    { do: 'release', place: of },
  ],
  (of) => [
    { do: 'request', place: of },
    { do: 'pass', hours: 24 * 31 },
    { do: 'cancel', place: of },
  ],
  (of) => [{ do: 'fail' }, { do: 'request', place: of, grace: 0 }, { do: 'cron', days: 1 }, { do: 'mend' }],
]
const story = fc.tuple(place, fc.constantFrom(...STORIES)).map(([of, told]) => [{ do: 'write' as const, place: of }, ...told(of)])
const actions: fc.Arbitrary<readonly Action[]> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: action.map((one): readonly Action[] => [one]) },
      { weight: 2, arbitrary: story as fc.Arbitrary<readonly Action[]> },
    ),
    { minLength: 5, maxLength: 30, size: 'max' },
  )
  .map((parts) => parts.flat())

/** What is true of a place, as whoever has only used it knows. */
interface Known {
  /** From when on it may be destroyed, by the true time; undefined: nobody has asked. */
  mayGoFrom: number | undefined
  isDestroyed: boolean
  /** It went with what is above it, which has a new life: the next write makes it anew. */
  mayBeMadeAnew: boolean
  /** What was encrypted in this life, and in those before. */
  living: Encrypted<string>[]
  dead: Encrypted<string>[]
}

class Run {
  readonly rows: Rows = rowsOf('rows')
  readonly known = new Map<PlaceName, Known>()
  readonly holds = new Set<PlaceName>()
  readonly ids = new Set<string>()
  readonly #stateStore = memoryStateStore()
  #true = START
  #wrong = 0
  #monotonic = 0
  #killAt: string | undefined
  vault!: Vault
  erasure!: Erasure

  async open(): Promise<void> {
    const clock = { now: () => this.#true + this.#wrong, monotonic: () => performance.now() + this.#monotonic }
    const options = {
      keyProviders: { eu: memoryKeyProvider() },
      defaultRegion: 'eu',
      keyStore: memoryKeyStore(),
      stateStore: this.#stateStore,
      clock,
      cacheBound: 100,
    }
    await initVault(options)
    this.vault = await openVault(options)
    await this.vault.tenants.create('acme')
    this.erasure = createErasure(this.vault, { policy, resources: [this.rows] })
    for (const name of ['acme', ...PLACES] as const)
      this.known.set(name, { mayGoFrom: undefined, isDestroyed: false, mayBeMadeAnew: false, living: [], dead: [] })
  }

  handle(name: PlaceName): Tenant | Item {
    const [subject, item] = name.split('/')
    const tenant = this.vault.tenant('acme')
    if (name === 'acme' || subject === undefined) return tenant
    return item === undefined ? tenant.subject(subject) : tenant.subject(subject).item(item)
  }

  item(name: PlaceName): Item {
    return this.handle(name) as Item
  }

  of(name: PlaceName): Known {
    return this.known.get(name) as Known
  }

  /** Itself, and what it is beneath. */
  upwards(name: PlaceName): readonly PlaceName[] {
    if (name === 'acme') return ['acme']
    return name === 'alice/mail' ? ['alice/mail', 'alice', 'acme'] : [name, 'acme']
  }

  downwards(name: PlaceName): readonly PlaceName[] {
    return (['acme', ...PLACES] as const).filter((other) => this.upwards(other).includes(name))
  }

  isHeld(name: PlaceName): boolean {
    return [...this.upwards(name), ...this.downwards(name)].some((other) => this.holds.has(other))
  }

  /** What a process does, and may not live to see the end of. @returns a code, `done`, or `killed` */
  async does(work: (erasure: Erasure) => Promise<unknown>): Promise<string> {
    const at = this.#killAt
    this.#killAt = undefined
    let died: (how: string) => void = () => undefined
    const killed = new Promise<string>((resolve) => {
      died = resolve
    })
    const reached = (name: string): Promise<void> | void => {
      if (name !== at) return undefined
      died('killed')
      return new Promise(() => undefined)
    }
    const erasure = createErasure(this.vault, withFailpoints({ policy, resources: [this.rows] }, reached))
    return Promise.race([killed, outcome(() => work(erasure))])
  }

  async act(step: Action): Promise<void> {
    // What this process has read is read again.
    this.#monotonic += 200
    switch (step.do) {
      case 'write': {
        const known = this.of(step.place)
        const code = await outcome(async () => known.living.push(await this.item(step.place).encrypt(email, 'ada@example.com')))
        if (code !== 'done') return
        if (known.mayBeMadeAnew) Object.assign(known, { isDestroyed: false, mayBeMadeAnew: false })
        this.rows.add(`acme/${step.place}`)
        return
      }
      case 'request': {
        const { grace } = step
        const options = { reason: 'subjectRequest' as const, ...(grace === undefined ? {} : { grace }) }
        // From now on it may go, whether or not whoever asked lives to know that it is noted.
        const from = this.#true + (grace ?? GRACE)
        const known = this.of(step.place)
        known.mayGoFrom = Math.min(known.mayGoFrom ?? Infinity, from)
        await this.does(async (erasure) => {
          const { id } = await erasure.request(this.handle(step.place), options)
          this.ids.add(id)
          if (this.#wrong === 0) expect(['suspended', 'shredded', 'gone']).toContain(await this.stateOf(step.place))
        })
        return
      }
      case 'shred': {
        const known = this.of(step.place)
        const code = await outcome(() => this.item(step.place).shred())
        if (this.isHeld(step.place)) expect([step.place, 'shredded', code]).not.toEqual([step.place, 'shredded', 'done'])
        if (code !== 'done') return
        known.mayGoFrom = Math.min(known.mayGoFrom ?? Infinity, this.#true)
        return this.act({ do: 'request', place: step.place })
      }
      case 'cancel':
        return this.cancel(step.place)
      case 'hold': {
        const code = await this.does((erasure) => erasure.hold(this.handle(step.place), { reason: 'case 4711' }))
        if (code === 'done') this.holds.add(step.place)
        // Killed: it may stand. Released, so that the model knows.
        if (code === 'killed') await outcome(() => this.erasure.release(this.handle(step.place), { reason: 'unknown' }))
        return
      }
      case 'release':
        await this.does((erasure) => erasure.release(this.handle(step.place), { reason: 'closed' }))
        await outcome(() => this.erasure.release(this.handle(step.place), { reason: 'closed' }))
        this.holds.delete(step.place)
        return
      case 'recreate': {
        const code = await outcome(() => this.item(step.place).recreate({ reason: 'operator' }))
        if (code !== 'done') return
        for (const name of this.downwards(step.place)) {
          const known = this.of(name)
          known.dead.push(...known.living.splice(0))
          // What was only beneath it can be made anew; what was destroyed by itself stays so.
          const state = await this.stateOf(name)
          if (state === 'shredded') continue
          const isGone = state === 'gone'
          Object.assign(known, { isDestroyed: isGone, mayBeMadeAnew: isGone, mayGoFrom: undefined })
        }
        return
      }
      case 'pass':
        this.#true += hours(step.hours)
        return
      case 'cron':
        this.#true += days(step.days)
        for (let i = 0; i < 3; i++) {
          await this.does((erasure) => sweep([erasure]))
          this.#true += APART
        }
        return
      case 'sweep':
        await this.does((erasure) => sweep([erasure]))
        return
      case 'fail':
        this.rows.fails = new Error('away')
        return
      case 'mend':
        this.rows.fails = undefined
        return
      case 'kill':
        this.#killAt = step.at
        return
      case 'wrong clock': {
        this.#wrong = step.by
        for (let i = 0; i < step.sweeps; i++) {
          await this.does((erasure) => sweep([erasure]))
          this.#true += minutes(10)
        }
        if (step.cancels !== undefined) await this.cancel(step.cancels)
        this.#wrong = 0
        // Cron goes on, by a clock that is right.
        await this.erasure.sweep()
      }
    }
  }

  async cancel(name: PlaceName): Promise<void> {
    const request = await this.erasure.find(this.handle(name)).catch(() => undefined)
    if (request === undefined) return
    // What is in use can be taken back at any time: there is nothing to be revived.
    const isInUse = (await this.stateOf(name)) === 'active'
    const isOver = this.#true + Math.min(0, this.#wrong) >= request.due
    const code = await this.does(async (erasure) => (await erasure.get(request.id))?.cancel())
    if (code !== 'done') return
    expect([name, 'taken back when its grace was over', isOver && !isInUse]).toEqual([name, 'taken back when its grace was over', false])
    expect(await this.erasure.get(request.id)).toBeUndefined()
    this.of(name).mayGoFrom = undefined
    this.ids.delete(request.id)
    const others = await Promise.all(this.upwards(name).map((above) => this.erasure.find(this.handle(above)).catch(() => 'gone')))
    if (others.every((other) => other === undefined)) expect([name, await this.stateOf(name)]).not.toEqual([name, 'suspended'])
  }

  async stateOf(name: PlaceName): Promise<PlaceState | undefined> {
    return name === 'acme' ? (await this.vault.tenants.get('acme'))?.state : this.item(name).state()
  }

  /** What has to be so between any two steps. */
  async check(): Promise<void> {
    for (const name of ['acme', ...PLACES] as const) {
      const known = this.of(name)
      const isGone = ['shredded', 'gone'].includes((await this.stateOf(name)) ?? '')
      if (isGone && !known.isDestroyed) {
        const from = Math.min(...this.upwards(name).map((above) => this.of(above).mayGoFrom ?? Infinity))
        expect([name, 'destroyed', this.#true >= from]).toEqual([name, 'destroyed', true])
        expect([name, 'held', this.isHeld(name)]).toEqual([name, 'held', false])
        known.isDestroyed = true
      }
      if (name === 'acme') continue
      if (known.isDestroyed && !isGone && known.living.length > 0) expect([name, 'revived']).toEqual([name, 'not'])
      for (const stored of [...known.dead, ...(known.isDestroyed ? known.living : [])])
        expect([name, await outcome(() => this.item(name).decrypt(email, stored))]).not.toEqual([name, 'done'])
      const open = await this.erasure.find(this.handle(name)).catch(() => undefined)
      if (open !== undefined && open.state !== 'requested' && open.state !== 'cancelling') {
        for (const stored of known.living)
          expect([name, open.state, await outcome(() => this.item(name).decrypt(email, stored))]).not.toEqual([name, open.state, 'done'])
      }
    }
  }

  /** Nothing is in the way any more, and time passes. */
  async settle(): Promise<void> {
    this.#killAt = undefined
    this.rows.fails = undefined
    for (const name of this.holds) await outcome(() => this.erasure.release(this.handle(name), { reason: 'closed' }))
    this.holds.clear()
    for (let i = 0; i < 8; i++) {
      this.#true += i < 4 ? days(12) : APART
      await sweep([this.erasure])
      await this.check()
    }
    await closeEpoch(this.vault)
    await sweep([this.erasure])
    expect(await all(this.erasure.list())).toEqual([])
    const keys = await this.vault.receiptKeys()
    for (const id of this.ids) {
      const certificate = await this.erasure.certificate(id)
      // Taken back by one that was killed before it could say so, or closed.
      if (certificate !== undefined) verifyCertificate(certificate, keys)
      expect([undefined, 'closed']).toContain((await this.erasure.get(id))?.state)
    }
    for (const name of PLACES) {
      const known = this.of(name)
      const rows = this.rows.rows.get(`acme/${name}`) ?? 0
      const isLiving = ['active', 'absent'].includes((await this.stateOf(name)) ?? '')
      expect([name, rows]).toEqual([name, isLiving ? known.living.length : 0])
      for (const stored of known.living)
        expect([name, isLiving, await outcome(() => this.item(name).decrypt(email, stored))]).toEqual([
          name,
          isLiving,
          isLiving ? 'done' : 'shredded',
        ])
    }
  }
}

test('no path reads behind an erasure, none destroys before its time, every request ends', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (steps) => {
      const run = new Run()
      await run.open()
      for (const step of steps) {
        await run.act(step)
        await run.check()
      }
      await run.settle()
    }),
    { numRuns: RUNS, ...(process.env['STRONGROOM_SEED'] === undefined ? {} : { seed: Number(process.env['STRONGROOM_SEED']) }) },
  )
})
