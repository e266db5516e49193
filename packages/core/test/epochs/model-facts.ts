// The plain model: who must read what. It knows of places, of lives of places (from a key's making to its shredding) and of keys,
// and nothing of how keys are wrapped, moved, cached or stored.

/** What is known of something that may have happened: an operation on it is under way, or was stopped. */
export type Maybe = 'no' | 'maybe' | 'yes'

/** A tenant, subject or item from its making to its shredding. Rotations do not end it. */
export interface Life {
  readonly id: number
  /** `acme`, `acme/alice`, `acme/alice/phone`. */
  readonly place: string
  /** The life of the parent in which it began: it ends with that. */
  readonly parent: number | undefined
  over: Maybe
  suspended: Maybe
}

/** One version of a place's key. */
export interface Key {
  /** What identifies it: its commitment. */
  readonly id: string
  readonly life: number
  /** Versions of a place are numbered upwards. */
  readonly number: number
  /** Shredded on its own, as an old version. */
  retired: Maybe
  /** Made after the backup to which the key store was restored. */
  lost: boolean
}

export interface Facts {
  readonly lives: Life[]
  readonly keys: Map<string, Key>
  /** Places that were shredded themselves: only `recreate` fills them. */
  readonly occupied: Map<string, Maybe>
  /** Tenants whose making was stopped: until it is repeated, they may not open. */
  readonly unfinished: Set<string>
}

/** A value that was encrypted, and the key that it needs. */
export interface Value {
  readonly place: string
  readonly text: string
  readonly stored: Uint8Array
  readonly key: string
  /** Re-encrypted since: its old key may be retired. */
  replaced: boolean
}

/** What may be answered. */
export interface Allowed {
  readonly ok: boolean
  readonly codes: ReadonlySet<string>
}

export function noFacts(): Facts {
  return { lives: [], keys: new Map(), occupied: new Map(), unfinished: new Set() }
}

/** A place with what is above it, the tenant first. */
export function chainOf(place: string): readonly string[] {
  const names = place.split('/')
  return names.map((_, i) => names.slice(0, i + 1).join('/'))
}

export function tenantOf(place: string): string {
  return chainOf(place)[0] as string
}

export function parentOf(place: string): string | undefined {
  return chainOf(place).at(-2)
}

/** The lives of a place that are not over. More than one only while it is not known which. */
export function currentLives(facts: Facts, place: string): readonly Life[] {
  const parent = parentOf(place)
  const above = parent === undefined ? undefined : currentLives(facts, parent).map(({ id }) => id)
  return facts.lives.filter(
    (life) =>
      life.place === place &&
      life.over !== 'yes' &&
      keysOf(facts, life).some((key) => !key.lost && key.retired !== 'yes') &&
      (above === undefined || above.includes(life.parent as number)),
  )
}

export function keysOf(facts: Facts, life: Life): readonly Key[] {
  return [...facts.keys.values()].filter((key) => key.life === life.id)
}

/** Whether the place has ever had a key that is still known, or was shredded. */
export function hasRecord(facts: Facts, place: string): boolean {
  if (occupied(facts, place) !== 'no') return true
  return [...facts.keys.values()].some((key) => !key.lost && facts.lives[key.life]?.place === place)
}

export function occupied(facts: Facts, place: string): Maybe {
  return facts.occupied.get(place) ?? 'no'
}

// What an encryption meets at one place of its path.
function statusOf(facts: Facts, place: string): ReadonlySet<string> {
  const status = new Set<string>()
  if (facts.unfinished.has(place)) status.add('decrypt_failed')
  const lives = currentLives(facts, place)
  for (const life of lives) {
    if (life.suspended !== 'yes') status.add('ok')
    if (life.suspended !== 'no') status.add('suspended')
    if (life.over !== 'no') status.add('shredded')
  }
  if (lives.length > 0) return status
  if (occupied(facts, place) !== 'yes') status.add(parentOf(place) === undefined ? 'not_found' : 'ok')
  if (occupied(facts, place) !== 'no') status.add('shredded')
  return status
}

/** What an encryption may answer, by all that was so within the time that a process may remember. */
export function encryptable(window: readonly Facts[], place: string): Allowed {
  const codes = new Set<string>()
  let ok = true
  for (const step of chainOf(place)) {
    const status = new Set(window.flatMap((facts) => [...statusOf(facts, step)]))
    if (!status.delete('ok')) ok = false
    for (const code of status) codes.add(code)
  }
  return { ok, codes }
}

interface Condition {
  readonly name: string
  readonly state: Maybe
  readonly codes: readonly string[]
}

// All that keeps a value from being read, if it is so. The key's lives are those of now: older facts may not know them.
function conditions(facts: Facts, value: Value, lives: readonly Life[]): readonly Condition[] {
  const key = facts.keys.get(value.key)
  const gone = chainOf(value.place).some((place) => occupied(facts, place) !== 'no')
  const unknown = ['decrypt_failed', 'not_found', ...(gone ? ['shredded'] : [])]
  const all: Condition[] = [
    { name: 'key', state: key === undefined || key.lost ? 'yes' : 'no', codes: unknown },
    { name: 'retired', state: key?.retired ?? 'no', codes: ['retired'] },
    { name: 'unfinished', state: facts.unfinished.has(tenantOf(value.place)) ? 'maybe' : 'no', codes: ['decrypt_failed'] },
  ]
  for (const { id, place } of lives) {
    const life = facts.lives[id]
    if (life === undefined) continue
    all.push({ name: `over ${place}`, state: life.over, codes: ['shredded'] })
    all.push({ name: `suspended ${place}`, state: life.suspended, codes: ['suspended'] })
  }
  return all
}

// The lives on which a value depends, its own first.
function livesOf(facts: Facts, value: Value): readonly Life[] {
  const lives: Life[] = []
  for (let id = facts.keys.get(value.key)?.life; id !== undefined; id = facts.lives[id]?.parent) lives.push(facts.lives[id] as Life)
  return lives
}

/** What a decryption may answer, by all that was so within the time that a process may remember; the newest first. */
export function readable(window: readonly Facts[], value: Value): Allowed {
  const now = window[0] as Facts
  const lives = livesOf(now, value)
  const seen = window.flatMap((facts) => [...conditions(facts, value, lives)])
  const codes = new Set(seen.flatMap(({ state, codes: refusals }) => (state === 'no' ? [] : refusals)))
  const ok = conditions(now, value, lives).every(({ name }) => seen.some((one) => one.name === name && one.state !== 'yes'))
  // What is dead or lost is refused for another reason as well, where what fills its place now is suspended.
  const suspended = (facts: Facts): boolean =>
    chainOf(value.place).some((place) => currentLives(facts, place).some((life) => life.suspended !== 'no'))
  if (codes.size > 0 && window.some(suspended)) codes.add('suspended')
  return { ok, codes }
}

/** What was not known and is, now that a value was read or refused. */
export function learn(facts: Facts, value: Value, outcome: string): void {
  const key = facts.keys.get(value.key)
  if (key === undefined) return
  const lives = livesOf(facts, value)
  if (outcome === 'reads') {
    if (key.retired === 'maybe') key.retired = 'no'
    for (const life of lives) {
      if (life.over === 'maybe') end(facts, life, 'no')
      if (life.suspended === 'maybe') life.suspended = 'no'
    }
  }
  if (outcome === 'retired' && key.retired === 'maybe') key.retired = 'yes'
  if (outcome === 'shredded' && !key.lost && key.retired !== 'yes' && lives.every(({ over }) => over !== 'yes')) {
    const unsure = lives.filter(({ over }) => over === 'maybe')
    if (unsure.length === 1 && key.retired === 'no') end(facts, unsure[0] as Life, 'yes')
  }
  if (outcome === 'suspended' && lives.every(({ suspended }) => suspended !== 'yes')) {
    const unsure = lives.filter(({ suspended }) => suspended === 'maybe')
    if (unsure.length === 1) (unsure[0] as Life).suspended = 'yes'
  }
}

function end(facts: Facts, life: Life, over: 'yes' | 'no'): void {
  life.over = over
  if (over === 'yes' || occupied(facts, life.place) === 'maybe') facts.occupied.set(life.place, over)
}

/** The facts after the key store alone was restored: keys that were made since are lost, what the ledger says stays. */
export function withoutKeysSince(facts: Facts, backup: Facts): Facts {
  const after = structuredClone(facts)
  for (const key of after.keys.values()) key.lost = !backup.keys.has(key.id) || (backup.keys.get(key.id) as Key).lost
  for (const life of after.lives) {
    const kept = keysOf(after, life).filter(({ lost }) => !lost)
    // The version that was not yet there when the backup was taken has followed one that was retired since.
    if (kept.length > 0 && kept.every(({ retired }) => retired === 'yes')) {
      life.over = 'yes'
      after.occupied.set(life.place, 'yes')
    }
  }
  // Of a tenant that was being made when the backup was taken, that may be all there is.
  after.unfinished.clear()
  for (const tenant of backup.unfinished) after.unfinished.add(tenant)
  return after
}
