// The commands that fast-check puts together, and how each is run.
import fc from 'fast-check'

import { BOUND } from '../vault/support.ts'
import { type Restored } from './model-backups.ts'
import { type Model } from './model-claims.ts'
import { currentLives, occupied } from './model-facts.ts'
import { ALL_ITEMS, ALL_SUBJECTS, TENANTS } from './model-places.ts'
import { hasOldVersion, type How, type Steps } from './model-steps.ts'
import { type Fate } from './model-stores.ts'
import { type Process, type Stop } from './model-world.ts'

export type ModelCommand = fc.AsyncCommand<Model, Steps>

const MOST_VALUES = 14
const MOST_HELD = 2
const MOST_BACKUPS = 5

/** Who reads everything after a command. */
type Look = 'none' | 'own' | 'other' | 'after the bound'

interface Made<T> {
  readonly how: How
  readonly look: Look
  readonly of: T
}

/** What a command is made from. */
interface Kind<T> {
  readonly name: string
  readonly weight: number
  readonly how: fc.Arbitrary<How>
  readonly of: fc.Arbitrary<T>
  readonly possible?: (model: Readonly<Model>) => boolean
  /** @returns what it was done to, for who reads of a failure */
  readonly run: (steps: Steps, of: T, how: How) => Promise<string>
}

class Command<T> implements ModelCommand {
  readonly #kind: Kind<T>
  readonly #made: Made<T>

  constructor(kind: Kind<T>, made: Made<T>) {
    this.#kind = kind
    this.#made = made
  }

  check(model: Readonly<Model>): boolean {
    const { fate: meets, stop: stopped } = this.#made.how
    const holds = meets?.kind === 'hold' || stopped?.how === 'park'
    return (!holds || model.held < MOST_HELD) && (this.#kind.possible?.(model) ?? true)
  }

  async run(model: Model, steps: Steps): Promise<void> {
    const { how, look: looks, of } = this.#made
    steps.trail.push(this.toString())
    const did = await this.#kind.run(steps, of, how)
    steps.trail.push(`  ${did}`)
    const { processes } = steps.world
    if (looks === 'own') await steps.look(processes[how.by] as Process)
    if (looks === 'other') await steps.look(processes[1 - how.by] as Process)
    if (looks === 'after the bound') await steps.lookAfterBound()
    model.check()
  }

  toString(): string {
    const { how, look: looks } = this.#made
    return `${this.#kind.name}${said(how)} by ${how.by}${looks === 'none' ? '' : `, then look: ${looks}`}`
  }
}

function said({ fate: meets, stop: stopped }: How): string {
  if (meets?.kind === 'hold') return `, held at call ${meets.calls}`
  if (meets?.kind === 'die') return `, dies ${meets.written ? 'after' : 'before'} write ${meets.writes}`
  return stopped === undefined ? '' : `, ${stopped.how} after step ${stopped.after}`
}

const by = fc.nat({ max: 1 })
const index = fc.nat({ max: 11 })
const lanes = fc.constantFrom(1, 8)

const calls = fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 6 }) }, { weight: 1, arbitrary: fc.nat({ max: 40 }) })
const writes = fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 4 }) }, { weight: 1, arbitrary: fc.nat({ max: 20 }) })
const hold: fc.Arbitrary<Fate> = fc.record({ kind: fc.constant('hold' as const), calls })
const die: fc.Arbitrary<Fate> = fc.record({ kind: fc.constant('die' as const), writes, written: fc.boolean() })
const stop: fc.Arbitrary<Stop> = fc.record({ how: fc.constantFrom('return', 'abort', 'park'), after: fc.nat({ max: 9 }) })

const plain: fc.Arbitrary<How> = fc.record({ by })
const dying: fc.Arbitrary<How> = fc.record({ by, fate: fc.option(die, { nil: undefined }) })
const short: fc.Arbitrary<How> = fc.oneof(
  { weight: 5, arbitrary: plain },
  { weight: 3, arbitrary: fc.record({ by, fate: hold }) },
  { weight: 2, arbitrary: fc.record({ by, fate: die }) },
)
const long: fc.Arbitrary<How> = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 3, arbitrary: fc.record({ by, fate: hold }) },
  { weight: 2, arbitrary: fc.record({ by, fate: die }) },
  { weight: 3, arbitrary: fc.record({ by, stop }) },
)

const looksAfter: fc.Arbitrary<Look> = fc.constantFrom('none', 'none', 'own', 'other', 'after the bound')

function command<T>(kind: Kind<T>): { readonly weight: number; readonly arbitrary: fc.Arbitrary<ModelCommand> } {
  const arbitrary = fc.record({ how: kind.how, of: kind.of, look: looksAfter }).map((made) => new Command(kind, made))
  return { weight: kind.weight, arbitrary }
}

/** Of a list, the one that an index stands for. */
function pick<T>(list: readonly T[], at: number): T {
  return list[at % list.length] as T
}

/** One of many places: most often one of those where the operation has something to do. */
interface Target {
  readonly index: number
  readonly any: boolean
}

const target: fc.Arbitrary<Target> = fc.record({ index, any: fc.constantFrom(false, false, false, true) })

const ALL_KEYED = [...ALL_SUBJECTS, ...ALL_ITEMS]
const ALL_PLACES = [...ALL_KEYED, ...TENANTS]

function placed(
  name: string,
  weight: number,
  how: fc.Arbitrary<How>,
  places: readonly string[],
  likely: (model: Model, place: string) => boolean,
  run: (steps: Steps, place: string, how: How) => Promise<unknown>,
  possible?: (model: Readonly<Model>) => boolean,
): ReturnType<typeof command> {
  return command({
    name,
    weight,
    how,
    of: target,
    ...(possible === undefined ? {} : { possible }),
    async run(steps, { index: at, any }, asked) {
      const fit = places.filter((one) => any || likely(steps.model, one))
      const place = pick(fit.length > 0 ? fit : places, at)
      await run(steps, place, asked)
      return place
    },
  })
}

const lives = ({ facts }: Pick<Model, 'facts'>, place: string): boolean => currentLives(facts, place).length > 0
const isSuspended = ({ facts }: Pick<Model, 'facts'>, place: string): boolean =>
  currentLives(facts, place).some(({ suspended }) => suspended !== 'no')
const isShredded = ({ facts }: Pick<Model, 'facts'>, place: string): boolean =>
  occupied(facts, place) !== 'no' && currentLives(facts, place).length === 0
const somewhere =
  (likely: (model: Readonly<Model>, place: string) => boolean) =>
  (model: Readonly<Model>): boolean =>
    ALL_PLACES.some((place) => likely(model, place))
const hasRoom = (model: Readonly<Model>): boolean => model.values.length < MOST_VALUES
const hasBackup = (model: Readonly<Model>): boolean => model.backups.length > 0

const restored: fc.Arbitrary<Restored> = fc.constantFrom('keys', 'state', 'both')
const restorable = fc.constantFrom('keys' as const, 'keys' as const, 'both' as const)

/** Any command. */
export const anyCommand: fc.Arbitrary<ModelCommand> = fc.oneof(
  placed(
    'create',
    2,
    short,
    TENANTS,
    (model, place) => !lives(model, place),
    (steps, place, how) => steps.create(place, how),
  ),
  placed(
    'encrypt at',
    8,
    short,
    ALL_KEYED,
    (model, place) => lives(model, place.split('/')[0] as string),
    (steps, place, how) => steps.encrypt(place, how),
    hasRoom,
  ),
  placed('shred', 5, short, ALL_PLACES, lives, (steps, place, how) => steps.shred(place, how)),
  command({
    name: 'shredMany',
    weight: 1,
    how: long,
    of: fc.record({ tenant: fc.constantFrom(...TENANTS), subjects: fc.subarray(['alice', 'bob', 'carol'], { minLength: 1 }) }),
    async run(steps, { tenant, subjects }, how) {
      await steps.shredMany(tenant, subjects, how)
      return `${tenant}: ${subjects.join()}`
    },
  }),
  placed('recreate', 3, short, ALL_KEYED, isShredded, (steps, place, how) => steps.recreate(place, how), somewhere(isShredded)),
  placed('suspend', 2, short, ALL_PLACES, lives, (steps, place, how) => steps.suspend(place, how)),
  placed('resume', 2, short, ALL_PLACES, isSuspended, (steps, place, how) => steps.resume(place, how), somewhere(isSuspended)),
  command({
    name: 'rotateRootKey',
    weight: 4,
    how: long,
    of: lanes,
    async run(steps, concurrency, how) {
      await steps.rotateRootKey(how, concurrency)
      return `in ${concurrency} lanes`
    },
  }),
  placed('rotateTenantKey', 3, long, TENANTS, lives, (steps, place, how) => steps.rotateTenantKey(place, how, 8)),
  placed('rotateSubjectKey', 3, long, ALL_KEYED, lives, (steps, place, how) => steps.rotateSubjectKey(place, how)),
  placed('reencrypt at', 1, short, ALL_KEYED, hasOldVersion, (steps, place, how) => steps.reencrypt(place, how), hasRoom),
  placed(
    'retireVersion',
    1,
    long,
    ALL_KEYED,
    hasOldVersion,
    (steps, place, how) => steps.retireVersion(place, how),
    somewhere(hasOldVersion),
  ),
  placed(
    'reencrypt, wait and retireVersion',
    2,
    long,
    ALL_KEYED,
    hasOldVersion,
    async (steps, place, how) => {
      await steps.reencrypt(place, { by: how.by })
      steps.world.clock.advance(2 * BOUND)
      await steps.retireVersion(place, how)
    },
    somewhere(hasOldVersion),
  ),
  command({
    name: 'closeEpoch',
    weight: 3,
    how: long,
    of: fc.constant(undefined),
    async run(steps, _, how) {
      await steps.closeEpoch(how)
      return ''
    },
  }),
  command({
    name: 'go on:',
    weight: 4,
    how: plain,
    of: fc.record({ index, kill: fc.constantFrom(false, false, false, true) }),
    possible: (model) => model.held > 0,
    async run(steps, { index: at, kill }) {
      const operation = pick(steps.world.held, at)
      await steps.letGo(operation, kill)
      return `${operation.kind} ${operation.places.join()}${kill ? ' is killed' : ''}`
    },
  }),
  command({
    name: 'crash',
    weight: 2,
    how: dying,
    of: fc.constant(undefined),
    async run(steps, _, how) {
      await steps.crash(steps.world.processes[how.by] as Process, how.fate)
      return 'and start'
    },
  }),
  command({
    name: 'wait',
    weight: 1,
    how: plain,
    of: fc.constantFrom(1, 2),
    async run({ world }, part) {
      world.clock.advance(BOUND / part)
      return part === 1 ? 'for the bound' : 'for half of the bound'
    },
  }),
  command({
    name: 'back up',
    weight: 3,
    how: plain,
    of: fc.constant(undefined),
    possible: (model) => model.backups.length < MOST_BACKUPS,
    async run(steps) {
      await steps.backUp()
      return ''
    },
  }),
  command({
    name: 'try to restore',
    weight: 1,
    how: plain,
    of: fc.record({ index, what: restored }),
    possible: hasBackup,
    async run(steps, { index: at, what }) {
      await steps.tryRestore(pick(steps.model.backups, at), what)
      return `${what} of backup ${at % steps.model.backups.length}`
    },
  }),
  command({
    name: 'restore',
    weight: 3,
    how: dying,
    of: fc.record({ index, what: restorable }),
    possible: hasBackup,
    async run(steps, { index: at, what }, { fate }) {
      const { backups } = steps.model
      await steps.restore(pick(backups, at), what, fate)
      return `${what} of backup ${at % backups.length}`
    },
  }),
  command({
    name: 'put back by hand what is dead',
    weight: 1,
    how: plain,
    of: index,
    possible: (model) => hasBackup(model) && model.certain,
    async run(steps, at, how) {
      const { backups } = steps.model
      await steps.putBack(pick(backups, at), steps.world.processes[how.by] as Process)
      return `in backup ${at % backups.length}`
    },
  }),
)
