// What every operation may answer, and what is so once it has: the claims of the design, as changes of the plain facts.
import { type KeyStoreRecord, KeyState, type LiveVersion, NodeKind, type NodeRecord, type WrappingKeyRecord } from '@strongroom/core'
import { valueTag } from '#core/format/derivations.js'
import { utf8 } from '#core/format/bytes.js'
import { LedgerOp } from '#core/format/ledger-entry.js'
import { expect } from 'vitest'

import { BOUND, hex } from '../vault/support.ts'
import { type Backup } from './model-backups.ts'
import {
  chainOf,
  currentLives,
  encryptable,
  type Facts,
  hasRecord,
  keysOf,
  type Maybe,
  noFacts,
  occupied,
  parentOf,
  readable,
  tenantOf,
  type Value,
} from './model-facts.ts'
import { type Chronicle, type Ending, type Operation, type Process } from './model-world.ts'

export const CONTEXT = 'users'

/** The facts as they were until something changed. */
interface Past {
  readonly sequence: number
  /** When it changed, by the clock. */
  readonly until: number
  readonly by: Process
  readonly facts: Facts
}

/** What a receipt says. */
interface Receipt {
  readonly rootVersion: number
  readonly ledger: { readonly n: number; readonly hash: Uint8Array }
}

/** A wrapping key, and the root versions that have ever wrapped it. */
interface WrappingKey {
  readonly roots: Set<number>
  marked: boolean
}

const ENTRY: Readonly<Partial<Record<Operation['kind'], number>>> = {
  shred: LedgerOp.shred,
  shredMany: LedgerOp.shred,
  retireVersion: LedgerOp.shred,
  suspend: LedgerOp.suspend,
  resume: LedgerOp.resume,
}

/** What is known at any moment, and what was known within the last cache bound. */
export class Model implements Chronicle {
  facts: Facts = noFacts()
  readonly values: Value[] = []
  readonly backups: Backup[] = []
  /** Whether something was held up since the last rotation: what it stored late may keep an epoch from closing. */
  disturbed = false
  /** Keys of which a receipt says that they are dead in every backup once the root versions up to a number are destroyed. */
  readonly erased = new Map<string, Receipt>()
  /** The newest position of the ledger that a receipt names. */
  ledger: Receipt['ledger'] | undefined
  sequence = 0
  readonly now: () => number
  #past: Past[] = []
  // Everything that was ever stored, and may lie in some backup.
  readonly #tags = new Map<string, string>()
  readonly #wrappedBy = new Map<string, Set<WrappingKey>>()
  readonly #byWrap = new Map<string, WrappingKey>()
  #wrappingKeys = new Map<string, WrappingKey>()
  readonly #held = new Set<Operation>()
  readonly #violations: unknown[] = []

  constructor(now: () => number) {
    this.now = now
  }

  /** Everything that may be so for a process: how it is, and how it was within the last cache bound, unless it was told. */
  window(process: Process): readonly Facts[] {
    this.#past = this.#past.filter(({ until }) => this.now() - until < BOUND)
    const past = this.#past.filter(({ sequence, by }) => by !== process && sequence >= process.started)
    return [this.facts, ...past.map(({ facts }) => facts)]
  }

  change(by: Process, apply: (facts: Facts) => void): void {
    this.#past.push({ sequence: this.sequence++, until: this.now(), by, facts: structuredClone(this.facts) })
    apply(this.facts)
  }

  /** After a restore every process starts anew. What had happened since may be undone: receipts of it are void. */
  restored(facts: Facts, { keys, ledger, entries }: Pick<Backup, 'keys' | 'ledger' | 'entries'>): void {
    this.sequence++
    this.#past = []
    this.facts = facts
    this.ledger = ledger
    this.#wrappingKeys = new Map()
    for (const record of keys) {
      if (record.type !== 'wrapping-key') continue
      const key = this.#byWrap.get(hex((record.wraps[0] as (typeof record.wraps)[number]).wrap)) as WrappingKey
      key.marked = record.marked
      this.#wrappingKeys.set(hex(record.id), key)
    }
    for (const [id, receipt] of this.erased) if (receipt.ledger.n > entries) this.erased.delete(id)
  }

  /** How many operations are held up. */
  get held(): number {
    return this.#held.size
  }

  get certain(): boolean {
    return this.#held.size === 0
  }

  begin(operation: Operation): void {
    operation.lives = this.facts.lives.length
    const versions = operation.places.flatMap((place) => currentLives(this.facts, place)).flatMap((life) => keysOf(this.facts, life))
    operation.newest = Math.max(0, ...versions.filter(({ lost }) => !lost).map(({ number }) => number))
    operation.answers = this.#answers(operation)
  }

  /** An operation is held up half way: it has had its effect, or not. */
  hold(operation: Operation): void {
    this.#held.add(operation)
    this.disturbed = true
    const { kind, places, process } = operation
    this.change(process, (facts) => {
      for (const place of places) {
        for (const life of facts.lives.filter((one) => one.place === place && one.over !== 'yes')) {
          if (kind === 'shred' || kind === 'shredMany') life.over = 'maybe'
          if (kind === 'suspend' && life.suspended === 'no') life.suspended = 'maybe'
          if (kind === 'resume' && life.suspended === 'yes') life.suspended = 'maybe'
          if (kind !== 'retireVersion') continue
          for (const key of keysOf(facts, life))
            if (key.number < operation.newest && !key.lost && key.retired === 'no') key.retired = 'maybe'
        }
        if ((kind === 'shred' || kind === 'shredMany') && occupied(facts, place) === 'no') facts.occupied.set(place, 'maybe')
        if (kind === 'create' && currentLives(facts, place).length === 0) facts.unfinished.add(place)
      }
    })
  }

  /** An operation has ended: what it answered must be allowed, and what it says is so. */
  end(operation: Operation, ending: Ending): void {
    this.#held.delete(operation)
    for (const other of this.#held) if (other.places.some((place) => operation.places.includes(place))) other.contested = true
    const { kind, process, held } = operation
    const { outcome } = ending
    const entered = operation.entered.includes(ENTRY[kind] ?? -1)
    if (outcome !== 'died' && outcome !== 'stopped') {
      const allowed = held ? this.#answers(operation) : operation.answers
      // What an encryption uses is never older than the bound, however long it took.
      if (held) for (const code of [...operation.answers, ...INTERFERED]) if (code !== 'done' || kind !== 'encrypt') allowed.add(code)
      expect([...allowed], `${kind} ${operation.places.join()} answered ${outcome}`).toContain(outcome)
    }
    if (kind === 'create') this.#endCreate(operation, outcome)
    // What the ledger holds takes effect whoever dies. With others in between it may be that a newer key is not meant by it.
    if (outcome === 'done' || (entered && !held)) this.change(process, (facts) => this.#apply(facts, operation))
    // Whether it takes effect or not, another process may go by what was before.
    else if (held) this.change(process, () => undefined)
    if (outcome === 'done') this.#note(operation, ending.result)
  }

  /** A value was stored by `encrypt`: its tag says which key it needs. */
  learnValue(operation: Operation, text: string, stored: Uint8Array): Value {
    const place = operation.places[0] as string
    const key = this.#tags.get(hex(stored.subarray(1, 17)))
    expect(key, `the key of a value of ${place} was never stored`).toBeDefined()
    const value: Value = { place, text, stored, key: key as string, replaced: false }
    expect(this.facts.lives[this.facts.keys.get(value.key)?.life ?? -1]?.place, 'the place of the key that encrypted').toBe(place)
    expect(
      readable(this.window(operation.process), value).ok,
      `encrypted at ${place} with a key that is gone for longer than the bound`,
    ).toBe(true)
    this.values.push(value)
    return value
  }

  /** Sees what is stored. What must never be stored is said by {@link check}: thrown here, a store would seem to have failed. */
  stored(record: KeyStoreRecord, by: Operation | undefined): void {
    try {
      if (record.type === 'wrapping-key') this.#storedWrappingKey(record)
      if (record.type === 'node') this.#storedNode(record, by)
    } catch (violation) {
      this.#violations.push(violation)
    }
  }

  #storedNode(record: NodeRecord, by: Operation | undefined): void {
    for (const version of record.versions) {
      if (version.state === KeyState.shredded) continue
      const id = hex(version.commitment)
      const wrapper = this.#wrappingKeys.get(hex(version.wrappingKeyId))
      if (wrapper !== undefined) this.#wrappedBy.set(id, (this.#wrappedBy.get(id) ?? new Set()).add(wrapper))
      if (!this.facts.keys.has(id) && isPlace(record)) this.#storedKey(record, version, by)
    }
  }

  /** What must be so at any moment, whatever lies in which backup. */
  check(): void {
    for (const violation of this.#violations) throw violation
    for (const [key, { rootVersion }] of this.erased) {
      for (const { roots } of this.#wrappedBy.get(key) ?? [])
        expect(
          Math.max(...roots),
          'a shredded key is dead once the root versions up to that of its receipt are destroyed',
        ).toBeLessThanOrEqual(rootVersion)
    }
  }

  // After a restore, another wrapping key may be made at the same place in a tenant's chain: what tells them apart are their wraps.
  #storedWrappingKey({ id, marked, wraps }: WrappingKeyRecord): void {
    const names = wraps.map(({ wrap }) => hex(wrap))
    const known = names.map((name) => this.#byWrap.get(name)).find((one) => one !== undefined)
    const key = known ?? { roots: new Set<number>(), marked: false }
    for (const name of names) this.#byWrap.set(name, key)
    this.#wrappingKeys.set(hex(id), key)
    for (const { rootVersion } of wraps) {
      if (key.marked) expect(key.roots, 'a marked wrapping key is never wrapped by another root version').toContain(rootVersion.number)
      key.roots.add(rootVersion.number)
    }
    if (key.marked) expect(marked, 'a mark stays').toBe(true)
    key.marked = marked
  }

  #storedKey(record: NodeRecord, version: LiveVersion, by: Operation | undefined): void {
    const id = hex(version.commitment)
    expect(by, 'a key was made, and nobody was at work').toBeDefined()
    const operation = by as Operation
    const place = chainOf(operation.places[0] as string)[DEPTH.indexOf(record.kind)] as string
    this.change(operation.process, (facts) => {
      const parent = facts.keys.get(hex(version.parentCommitment))?.life
      const siblings = record.versions.map(({ commitment }) => facts.keys.get(hex(commitment))).filter((key) => key !== undefined)
      const rotated = operation.kind === 'rotateSubjectKey' ? siblings.at(-1)?.life : undefined
      const life = rotated ?? this.#newLife(facts, place, parent)
      facts.keys.set(id, { id, life, number: version.version, retired: 'no', lost: false })
      if (operation.kind === 'create') facts.unfinished.add(place)
    })
    this.#tags.set(hex(valueTag(version.commitment, utf8(CONTEXT, 'context'))), id)
  }

  #newLife(facts: Facts, place: string, parent: number | undefined): number {
    const underWay = (...kinds: readonly Operation['kind'][]): 'maybe' | 'no' =>
      [...this.#held].some(({ kind, places }) => kinds.includes(kind) && places.includes(place)) ? 'maybe' : 'no'
    const id = facts.lives.length
    facts.lives.push({ id, place, parent, over: underWay('shred', 'shredMany'), suspended: underWay('suspend') })
    return id
  }

  #answers({ kind, places, process }: Operation): Set<string> {
    const [place = ''] = places
    const window = this.window(process)
    if (kind === 'encrypt') {
      const { ok, codes } = encryptable(window, place)
      return new Set(ok ? ['done', ...codes] : codes)
    }
    const answers = new Set(window.flatMap((facts) => [...answersOf(facts, kind, place)]))
    if (window.some(({ unfinished }) => [...unfinished].some((tenant) => place === '' || tenant === tenantOf(place))))
      answers.add('decrypt_failed')
    return answers
  }

  #endCreate({ places, process, held }: Operation, outcome: string): void {
    const [tenant = ''] = places
    if (outcome !== 'done' && outcome !== 'already_exists') return
    // Of one that was held up, another may have shredded the tenant meanwhile.
    if (!held) expect(currentLives(this.facts, tenant), `${tenant} was made`).not.toHaveLength(0)
    this.change(process, (facts) => facts.unfinished.delete(tenant))
  }

  #apply(facts: Facts, { kind, places, lives, newest, held, contested }: Operation): void {
    for (const place of places) {
      const here = facts.lives.filter((life) => life.place === place)
      if (kind === 'shred' || kind === 'shredMany') {
        for (const life of here) if (life.over !== 'yes') life.over = life.id < lives ? 'yes' : 'maybe'
        facts.occupied.set(place, 'yes')
      }
      if (kind === 'suspend' || kind === 'resume') {
        for (const life of currentLives(facts, place)) {
          const sure = !contested && (life.id < lives || !held)
          life.suspended = sure ? SUSPENDED[kind] : 'maybe'
        }
      }
      if (kind !== 'retireVersion') continue
      for (const life of currentLives(facts, place)) {
        for (const key of keysOf(facts, life)) if (key.number < newest && !key.lost) key.retired = 'yes'
      }
    }
  }

  // What a receipt promises.
  #note({ kind, places }: Operation, result: unknown): void {
    if (kind !== 'shred' && kind !== 'shredMany') return
    const receipts = result as ReadonlyMap<string, Receipt>
    for (const place of places) {
      const receipt = receipts.get(place)
      if (receipt === undefined) continue
      if (receipt.ledger.n > (this.ledger?.n ?? 0)) this.ledger = receipt.ledger
      for (const life of this.facts.lives.filter((one) => one.place === place && one.over === 'yes')) {
        for (const key of keysOf(this.facts, life)) {
          if (!key.lost && !this.erased.has(key.id)) this.erased.set(key.id, receipt)
        }
      }
    }
  }
}

const SUSPENDED: Readonly<Record<'suspend' | 'resume', Maybe>> = { suspend: 'yes', resume: 'no' }

const DEPTH: readonly number[] = [NodeKind.tenant, NodeKind.subject, NodeKind.item]

function isPlace({ kind }: NodeRecord): boolean {
  return DEPTH.includes(kind)
}

// With others at work in between, an operation may meet any state.
const INTERFERED = [
  'done',
  'shredded',
  'suspended',
  'not_found',
  'already_exists',
  'still_referenced',
  'epoch_blocked',
  'invalid_argument',
  'root_version_destroyed',
  'wrong_root_key',
]

// What an operation that nothing interferes with answers, by what it finds.
function answersOf(facts: Facts, kind: Operation['kind'], place: string): readonly string[] {
  const lives = currentLives(facts, place)
  const above = parentOf(place)
  switch (kind) {
    case 'create':
      if (lives.length === 0) return empty(facts, place, 'done')
      return facts.unfinished.has(place) ? ['done', 'already_exists'] : ['already_exists', ...unsure(facts, place, 'shredded')]
    case 'shred':
    case 'shredMany':
      // A tenant that is shredded already is shredded again; what was beneath it is named no more.
      if (above !== undefined) return ['done', ...refusedByTenant(facts, place)]
      return lives.length > 0 || occupied(facts, place) === 'yes' ? ['done'] : [...empty(facts, place, 'not_found'), 'done']
    case 'suspend':
      if (lives.length > 0) return ['done', ...unsure(facts, place, 'shredded')]
      return above === undefined ? empty(facts, place, 'not_found') : mintable(facts, place)
    case 'resume':
      if (lives.length > 0) return ['done', ...unsure(facts, place, 'shredded')]
      return above === undefined ? empty(facts, place, 'not_found') : ['done', 'not_found', 'shredded']
    case 'recreate':
      return recreatable(facts, place)
    case 'rotateTenantKey':
      return lives.length > 0 ? ['done', ...unsure(facts, place, 'not_found', 'shredded')] : ['not_found', 'shredded']
    case 'rotateSubjectKey':
    case 'retireVersion': {
      if (lives.length === 0) return ['not_found', 'shredded']
      const done = lives.every(({ suspended }) => suspended === 'yes') ? [] : ['done']
      const suspended = lives.some((life) => life.suspended !== 'no') ? ['suspended'] : []
      return [
        ...done,
        ...suspended,
        ...unsure(facts, place, 'shredded'),
        ...(kind === 'retireVersion' ? ['still_referenced', 'invalid_argument'] : []),
      ]
    }
    case 'encrypt':
    case 'rotateRootKey':
      return ['done']
    case 'closeEpoch':
      return ['done', 'epoch_blocked']
  }
}

// Where it is not known whether the place, or what is above it, was shredded.
function unsure(facts: Facts, place: string, ...codes: readonly string[]): readonly string[] {
  return chainOf(place).some((step) => currentLives(facts, step).every(({ over }) => over === 'maybe')) ? codes : []
}

// Of a place without a living key.
function empty(facts: Facts, place: string, answer: string): readonly string[] {
  const was = occupied(facts, place)
  return [...(was === 'yes' ? [] : [answer]), ...(was === 'no' ? [] : ['shredded'])]
}

function refusedByTenant(facts: Facts, place: string): readonly string[] {
  const tenant = tenantOf(place)
  const lives = currentLives(facts, tenant)
  return lives.length > 0 ? unsure(facts, tenant, 'shredded') : empty(facts, tenant, 'not_found')
}

// Making the keys of a path where its last has none: the state of the nearest that is there matters.
function mintable(facts: Facts, place: string): readonly string[] {
  const missing = chainOf(place).filter((step) => currentLives(facts, step).length === 0)
  const [first = place] = missing
  const nearest = parentOf(first) === undefined ? [] : currentLives(facts, parentOf(first) as string)
  const refusals = missing.flatMap((step) =>
    empty(facts, step, parentOf(step) === undefined ? 'not_found' : 'done').filter((code) => code !== 'done'),
  )
  if (nearest.some(({ suspended }) => suspended !== 'no')) refusals.push('suspended')
  const sure =
    parentOf(first) === undefined ||
    missing.some((step) => occupied(facts, step) === 'yes') ||
    nearest.every(({ suspended }) => suspended === 'yes')
  return sure ? refusals : [...refusals, 'done']
}

function recreatable(facts: Facts, place: string): readonly string[] {
  const lives = currentLives(facts, place)
  if (lives.length > 0) return ['already_exists', ...unsure(facts, place, 'done', 'shredded')]
  const parent = parentOf(place) as string
  const above = currentLives(facts, parent)
  const refusals = [...refusedByTenant(facts, place), ...unsure(facts, parent, 'shredded')]
  if (!hasRecord(facts, parent) || !hasRecord(facts, place) || occupied(facts, place) === 'maybe') refusals.push('not_found')
  if (above.length === 0) refusals.push('shredded')
  if (above.some(({ suspended }) => suspended !== 'no')) refusals.push('suspended')
  const sure =
    above.length === 0 || !hasRecord(facts, parent) || !hasRecord(facts, place) || above.every(({ suspended }) => suspended === 'yes')
  return sure ? refusals : [...refusals, 'done']
}
