/** What the parent of all processes knows: every stored value, and what it must read as. */

import type { PlaceNames, StoredValue } from '../races/support.ts'

/** `retired`: of a value, and of no place. */
export type State = 'live' | 'suspended' | 'retired' | 'shredded'

/** What reading a value gives: `true` if it is the right one, else the code of the refusal. */
export type Answer = true | string

const READS: Readonly<Record<State, Answer>> = {
  live: true,
  suspended: 'suspended',
  retired: 'retired',
  shredded: 'shredded',
}
// Of a place and what is above it, the later of these counts.
const ORDER: readonly State[] = ['live', 'suspended', 'retired', 'shredded']

interface Status {
  readonly state: State
  /** What it will be once the operation that is under way is done; until then it may be either. */
  readonly becoming?: State
  /** What it was before: a process may still go by that, until it reads the store again. */
  readonly was: readonly State[]
}

const UNTOUCHED: Status = { state: 'live', was: [] }

export interface Known extends StoredValue {
  /** Of a value whose key version has another fate than its place: what it may be. */
  readonly fate: readonly State[] | undefined
}

export class Model {
  #values: Known[] = []
  readonly #statuses = new Map<string, Status>()
  readonly #tenants = new Set<string>()
  #unfinished: string | undefined

  /** The same, to be changed on its own. */
  copy(): Model {
    const copy = new Model()
    copy.#values = [...this.#values]
    for (const [place, status] of this.#statuses) copy.#statuses.set(place, status)
    for (const tenant of this.#tenants) copy.#tenants.add(tenant)
    return copy
  }

  get values(): readonly Known[] {
    return this.#values
  }

  /** Tenants that were made, and live. */
  get tenants(): readonly string[] {
    return [...this.#tenants].filter((tenant) => this.#states({ tenant }).every((state) => state !== 'shredded'))
  }

  /** A tenant whose making was begun and not ended. */
  get unfinished(): readonly string[] {
    return this.#unfinished === undefined ? [] : [this.#unfinished]
  }

  add(value: StoredValue): void {
    this.#tenants.add(value.place.tenant)
    this.#values.push({ ...value, fate: undefined })
  }

  /** An operation on a place has begun. */
  begin(place: PlaceNames, becoming: State): void {
    const { state, was } = this.#own(place)
    this.#statuses.set(key(place), { state, becoming, was })
  }

  /** An operation on a place is done. */
  end(place: PlaceNames, state: State): void {
    const before = this.#own(place)
    this.#statuses.set(key(place), { state, was: [...before.was, before.state] })
  }

  /** What is stored at and beneath a place by now. */
  at(place: PlaceNames): readonly Known[] {
    return this.#values.filter((value) => path(value.place).includes(key(place)))
  }

  /** What some values may be from now on, whatever becomes of their place. */
  decide(values: readonly Known[], fate: readonly State[]): void {
    const decided = new Set(values.map(({ stored }) => stored))
    this.#values = this.#values.map((value) => (decided.has(value.stored) ? { ...value, fate } : value))
  }

  /** Notes what a writer, or a runner of shreds and the like, says. @returns why it must not be, if it must not */
  hear({ will, did, ...event }: Readonly<Record<string, unknown>>): string | undefined {
    const place = event['place'] as PlaceNames
    if (will === 'create') this.#unfinished = event['tenant'] as string
    else if (did === 'create') {
      this.#tenants.add(event['tenant'] as string)
      this.#unfinished = undefined
    } else if (will === 'shred') this.begin(place, 'shredded')
    else if (did === 'shred') this.end(place, 'shredded')
    else if (did === 'encrypt') return this.#hearEncrypt(place, event)
    return undefined
  }

  #hearEncrypt(place: PlaceNames, { refused, value, stored }: Readonly<Record<string, unknown>>): string | undefined {
    if (refused === undefined) {
      this.add({ place, value: value as string, stored: stored as Uint8Array })
      return undefined
    }
    const mayBeRefused = this.#states(place, ({ was }) => was).some((state) => READS[state] === refused)
    return mayBeRefused ? undefined : `encrypting at ${key(place)} was refused: ${String(refused)}`
  }

  /** What encrypting at a place may give in a process that knows nothing yet. */
  outcomes(place: PlaceNames): readonly Answer[] {
    return this.#states(place).map((state) => READS[state])
  }

  /** What reading a value may give there. */
  answers({ place, fate }: Known): readonly Answer[] {
    return (fate ?? this.#states(place)).map((state) => READS[state])
  }

  #own(place: PlaceNames): Status {
    return this.#statuses.get(key(place)) ?? UNTOUCHED
  }

  #states(place: PlaceNames, also: (status: Status) => readonly State[] = () => []): readonly State[] {
    let possible: readonly State[] = ['live']
    for (const at of path(place)) {
      const status = this.#statuses.get(at) ?? UNTOUCHED
      const { state, becoming = state } = status
      const own = [state, becoming, ...also(status)]
      possible = [...new Set(possible.flatMap((above) => own.map((one) => later(above, one))))]
    }
    return possible
  }
}

function later(a: State, b: State): State {
  return ORDER.indexOf(a) < ORDER.indexOf(b) ? b : a
}

function key({ tenant, subject, item }: PlaceNames): string {
  return [tenant, subject, item].filter((name) => name !== undefined).join('/')
}

/** The keys of a place and of all that is above it. */
function path({ tenant, subject, item }: PlaceNames): readonly string[] {
  const places: PlaceNames[] = [{ tenant }]
  if (subject !== undefined) places.push({ tenant, subject })
  if (subject !== undefined && item !== undefined) places.push({ tenant, subject, item })
  return places.map(key)
}
