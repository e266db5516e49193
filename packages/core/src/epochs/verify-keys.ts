/** `verifyKeys`: opens every living key there is, and reports what does not open, what dangles, and what nothing needs any more. Never writes. */

import { equalBytes, wipe } from '../crypto/hash.ts'
import { hasCode, invalidArgument, StrongroomError } from '../errors.ts'
import { hex, utf8 } from '../format/bytes.ts'
import { indexTag, valueTag } from '../format/derivations.ts'
import { KeyState, type LiveVersion, NodeKind, type NodeRecord, type WrappingKeyRecord } from '../format/records.ts'
import { instant } from '../keys/key-cache.ts'
import type { KeyContext } from '../keys/key-context.ts'
import type { KeyStoreQuery } from '../keys/key-store.ts'
import { type GoneVersion, OpenNode, type OpenVersion } from '../keys/open-node.ts'
import { type OpenTenant, WrappingKeyRing } from '../keys/open-tenant.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { unwrapNodeRecord, type WrappingKeySource } from '../keys/unwrap-node-record.ts'
import { findWrappingKey, listWrappingKeys, newestWrappingKey, unwrapWrappingKey } from '../keys/wrapping-keys.ts'
import { openLiving } from './move-tenant.ts'
import type { RetiringVersion, ValueHolder } from './retire-version.ts'
import { NODES_PER_PAGE } from './walk-nodes.ts'
import { walkTenants } from './walk-tenants.ts'

/** What can be wrong with a key. */
export type KeyProblem =
  /** A tenant, or the vault itself, does not open: `code` says why. Nothing beneath it opens either; none of that is listed. */
  | 'tenant_does_not_open'
  /** A tenant without the key that the references beneath it come from, and with nothing beneath it: its making was killed, or is under way. `tenants.create` ends it. */
  | 'tenant_unfinished'
  /** A living version of a key does not open: `code` says why. */
  | 'version_does_not_open'
  /** A wrapping key that is in use does not open: `code` says why. Every version that it wraps is listed as well. */
  | 'wrapping_key_does_not_open'
  /** A version is wrapped by a wrapping key that its tenant does not have. */
  | 'wrapping_key_missing'
  /** A wrapping key belongs to no tenant: the making of one was killed, or is under way. */
  | 'wrapping_key_without_tenant'
  /** What a key hangs beneath, its parent or its tenant, is not in the key store. */
  | 'parent_missing'
  /** A version is wrapped by a wrapping key that was followed by another: a rotation has not ended. */
  | 'wrapping_key_outdated'
  /** A version only decrypts, and nothing needs it of all that was counted: `retireVersion` can end it. */
  | 'version_unreferenced'

/** Why something does not open. */
export type KeyDamage = 'decrypt_failed' | 'root_version_destroyed' | 'wrong_root_key'

/** One thing that `verifyKeys` found. Holds no name and no key; references and ids are in hex. */
export interface KeyFinding {
  readonly problem: KeyProblem
  readonly kind: keyof typeof NodeKind | 'wrapping-key'
  /** The primary key of the record: a node's reference, a wrapping key's id. */
  readonly ref: string
  readonly tenantRef: string
  /** The version of a node's key, and the wrapping key that it names, where the problem is one of a version. */
  readonly version?: number
  readonly wrappingKeyId?: string
  readonly code?: KeyDamage
}

/** How much was looked at. */
export interface KeyReport {
  /** Those that are not shredded; the vault itself counts as one. */
  readonly tenants: number
  /** Records of any state, of all regions. */
  readonly nodes: number
  readonly wrappingKeys: number
  readonly findings: number
  /** Regions without a provider in this process: nothing of theirs was opened. */
  readonly skippedRegions: readonly string[]
}

/** How `verifyKeys` runs. */
export interface VerifyRun {
  /** Asked for values of each version that only decrypts. */
  readonly holders: readonly ValueHolder[]
  /** Called before each page is read, and after each finding; throws where it is to end. */
  readonly goOn: () => Promise<void>
}

interface Run extends VerifyRun {
  readonly context: KeyContext
}

type StoredKey = NodeRecord | WrappingKeyRecord

/**
 * What is found damaged is read and opened a second time before it is reported: others may be writing.
 *
 * @throws StrongroomError `decrypt_failed` where a record is not even of the right form, and what stores, provider and holders throw
 */
export async function* verifyKeys(keys: KeyOperations, how: VerifyRun): AsyncGenerator<KeyFinding, KeyReport> {
  const { context } = keys.tree
  const run: Run = { context, ...how }
  const counts = { tenants: 0, nodes: 0, wrappingKeys: 0, findings: 0 }
  const regions = new Set<string>()
  const skippedRegions: string[] = []
  for await (const finding of everything()) {
    counts.findings++
    yield finding
    await run.goOn()
  }
  return { ...counts, skippedRegions }

  async function* everything(): AsyncGenerator<KeyFinding> {
    for (const type of ['node', 'wrapping-key'] as const) {
      for await (const page of recordPages(run, { type })) {
        counts[type === 'node' ? 'nodes' : 'wrappingKeys'] += page.length
        for (const { region } of page) regions.add(region)
        yield* withoutTenant(context, page)
      }
    }
    for (const region of [...regions].toSorted()) {
      if (!hasProvider(context, region)) {
        skippedRegions.push(region)
        continue
      }
      for await (const tenants of walkTenants(context, region)) {
        counts.tenants += tenants.length
        for (const tenant of tenants) yield* verifyTenant(run, tenant)
      }
    }
  }
}

async function* recordPages(
  { context, goOn }: Run,
  query: Pick<KeyStoreQuery, 'type' | 'tenantRef' | 'parentRef'>,
): AsyncGenerator<readonly StoredKey[]> {
  let after: Uint8Array | undefined
  for (;;) {
    await goOn()
    const page = await context.keyStore.scan({ ...query, limit: NODES_PER_PAGE, ...(after === undefined ? {} : { after }) })
    yield page
    const last = page.at(-1)
    if (page.length < NODES_PER_PAGE || last === undefined) return
    after = last.type === 'node' ? last.ref : last.id
  }
}

// What a walk from tenant to tenant never meets.
async function* withoutTenant(context: KeyContext, page: readonly StoredKey[]): AsyncGenerator<KeyFinding> {
  // A shred that was applied to an older key store leaves its mark where there is no tenant yet.
  const living = page.filter((record) => record.type === 'wrapping-key' || liveVersions(record).length > 0)
  const refs = living.map(({ tenantRef }) => tenantRef)
  const tenants = await readNodes(context, refs)
  for (const record of living) {
    const kind = tenants.get(hex(record.tenantRef))?.kind
    if (kind === NodeKind.tenant || kind === NodeKind.vault) continue
    yield record.type === 'node' ? aboutNode('parent_missing', record) : aboutWrappingKey('wrapping_key_without_tenant', record)
  }
}

function hasProvider({ providers }: KeyContext, region: string): boolean {
  try {
    providers.require(region)
    return true
  } catch (error) {
    if (hasCode(error, 'region_refused')) return false
    throw error
  }
}

async function* verifyTenant(run: Run, record: NodeRecord): AsyncGenerator<KeyFinding> {
  const { context } = run
  const { ref: tenantRef } = record
  const tenant = await lookTwice(() => openLiving(context, tenantRef))
  if (tenant === undefined) return
  if (tenant instanceof Damaged) {
    if (await isUnfinished(context, record)) return yield aboutNode('tenant_unfinished', record)
    yield aboutNode('tenant_does_not_open', record, { code: tenant.code })
    for (const version of liveVersions(record))
      if (await isMissing(context, version.wrappingKeyId, tenantRef)) yield aboutNode('wrapping_key_missing', record, { version })
    return
  }
  // Told of once, however many keys it wraps.
  const dead = new Set<string>()
  try {
    yield* once(await newestWrappingKeyFindings(context, tenant.node.record))
    for await (const page of recordPages(run, { type: 'node', tenantRef })) {
      const nodes = page.filter((node): node is NodeRecord => node.type === 'node')
      yield* once(await examineTwice(run, tenant, nodes))
    }
  } finally {
    tenant.destroy()
  }

  function* once(findings: readonly KeyFinding[]): Generator<KeyFinding> {
    for (const finding of findings) {
      const known = finding.problem === 'wrapping_key_does_not_open' && dead.has(finding.ref)
      if (finding.problem === 'wrapping_key_does_not_open') dead.add(finding.ref)
      if (!known) yield finding
    }
  }
}

// The tenant's own key opens, and nothing was ever made beneath it: its `ref` key is what is made last.
async function isUnfinished(context: KeyContext, record: NodeRecord): Promise<boolean> {
  const { ref: tenantRef, kind } = record
  if (kind !== NodeKind.tenant) return false
  const children = await context.keyStore.scan({ type: 'node', tenantRef, parentRef: tenantRef, limit: 1 })
  if (children.length > 0) return false
  const keys = new WrappingKeyRing(context, tenantRef, await listWrappingKeys(context, tenantRef))
  const opened = await lookTwice(() => unwrapNodeRecord(context, record, undefined, keys, instant(context.clock)))
  keys.destroy()
  if (opened instanceof Damaged) return false
  opened.destroy()
  return true
}

// New keys will be wrapped by it, though none may be as yet.
async function newestWrappingKeyFindings(context: KeyContext, { ref, versions }: NodeRecord): Promise<readonly KeyFinding[]> {
  const newest = newestWrappingKey(await listWrappingKeys(context, ref))
  const names = ({ id }: WrappingKeyRecord): boolean =>
    versions.some((version) => version.state !== KeyState.shredded && equalBytes(version.wrappingKeyId, id))
  // What wraps the tenant itself has opened.
  if (newest === undefined || names(newest)) return []
  const opened = await lookTwice(async () => wipe(await unwrapWrappingKey(context, (await findWrappingKey(context, newest.id)) ?? newest)))
  return opened instanceof Damaged ? [aboutWrappingKey('wrapping_key_does_not_open', newest, opened.code)] : []
}

async function examineTwice(run: Run, tenant: OpenTenant, nodes: readonly NodeRecord[]): Promise<readonly KeyFinding[]> {
  const first = await examine(run, tenant, nodes)
  const suspects = new Set(first.flatMap(({ problem, ref }) => (DOES_NOT_OPEN.has(problem) ? [ref] : [])))
  if (suspects.size === 0) return first
  // A tenant that was held for long knows of no wrap that was made since.
  const fresh = await lookTwice(() => openLiving(run.context, tenant.node.record.ref))
  if (fresh instanceof Damaged) return first
  const refs = nodes.flatMap(({ ref }) => (suspects.has(hex(ref)) ? [ref] : []))
  const sound = first.filter(({ kind, ref }) => kind !== 'wrapping-key' && !suspects.has(ref))
  if (fresh === undefined) return sound
  try {
    return [...sound, ...(await examine(run, fresh, [...(await readNodes(run.context, refs)).values()]))]
  } finally {
    fresh.destroy()
  }
}

const DOES_NOT_OPEN: ReadonlySet<KeyProblem> = new Set(['version_does_not_open', 'wrapping_key_missing', 'parent_missing'])

async function examine(run: Run, tenant: OpenTenant, nodes: readonly NodeRecord[]): Promise<readonly KeyFinding[]> {
  const examination = new Examination(run, tenant)
  try {
    return await examination.examine(nodes)
  } finally {
    examination.close()
  }
}

/** A node with the versions that open, and why the others do not, by their numbers. */
interface Opened {
  readonly node: OpenNode
  readonly damage: ReadonlyMap<number, KeyDamage>
}

/** Opens nodes version by version. A wrapping key is asked for once, whatever the answer: a dead one has wrapped many. */
class Examination {
  readonly #run: Run
  readonly #tenant: OpenTenant
  readonly #wrappingKeys = new Map<string, Promise<Uint8Array>>()
  readonly #missing = new Map<string, boolean>()
  readonly #source: WrappingKeySource = { open: (id) => this.#wrappingKey(id) }
  readonly #opened: OpenNode[] = []

  constructor(run: Run, tenant: OpenTenant) {
    this.#run = run
    this.#tenant = tenant
  }

  async examine(nodes: readonly NodeRecord[]): Promise<readonly KeyFinding[]> {
    const { node: top } = this.#tenant
    const living = nodes.filter((node) => liveVersions(node).length > 0)
    const above = await this.#openParents(living)
    const findings: KeyFinding[] = []
    for (const record of living) {
      const parent = above.get(hex(record.parentRef))
      if (parent === undefined && !equalBytes(record.ref, top.record.ref)) findings.push(aboutNode('parent_missing', record))
      else findings.push(...(await this.#findings(record, await this.#open(record, parent))))
    }
    return findings
  }

  close(): void {
    for (const node of this.#opened) node.destroy()
  }

  // Depth is fixed: a parent is the tenant itself, or hangs right beneath it. What hangs elsewhere does not open here.
  async #openParents(nodes: readonly NodeRecord[]): Promise<ReadonlyMap<string, OpenNode>> {
    const { node: top } = this.#tenant
    const above = new Map([[hex(top.record.ref), top]])
    const refs = nodes.map(({ parentRef }) => parentRef).filter(({ length }) => length > 0)
    for (const [ref, record] of await readNodes(this.#run.context, refs))
      if (!above.has(ref)) above.set(ref, (await this.#open(record, top)).node)
    return above
  }

  async #open(record: NodeRecord, parent: OpenNode | undefined): Promise<Opened> {
    const read = instant(this.#run.context.clock)
    const open: OpenVersion[] = []
    const gone: GoneVersion[] = []
    const damage = new Map<number, KeyDamage>()
    for (const version of record.versions) {
      try {
        const part = await unwrapNodeRecord(this.#run.context, { ...record, versions: [version] }, parent, this.#source, read)
        open.push(...part.versions)
        gone.push(...part.gone)
      } catch (error) {
        damage.set(version.version, damageOf(error))
      }
    }
    const node = new OpenNode(record, read, open, gone)
    this.#opened.push(node)
    return { node, damage }
  }

  #wrappingKey(id: Uint8Array): Promise<Uint8Array> {
    const key = this.#wrappingKeys.get(hex(id)) ?? this.#tenant.wrappingKey(id)
    this.#wrappingKeys.set(hex(id), key)
    return key
  }

  async #findings(record: NodeRecord, { node, damage }: Opened): Promise<readonly KeyFinding[]> {
    const findings: KeyFinding[] = []
    const decryptOnly: LiveVersion[] = []
    for (const version of liveVersions(record)) {
      const code = damage.get(version.version)
      if (code !== undefined) findings.push(...(await this.#damageFindings(record, version, code)))
      if (!node.versions.some((open) => open.version === version.version)) continue
      if (this.#tenant.isOutdated(version.wrappingKeyId)) findings.push(aboutNode('wrapping_key_outdated', record, { version }))
      if (version.state === KeyState.deactivated) decryptOnly.push(version)
    }
    for (const version of await unreferenced(this.#run, record, decryptOnly))
      findings.push(aboutNode('version_unreferenced', record, { version }))
    return findings
  }

  async #damageFindings(record: NodeRecord, version: LiveVersion, code: KeyDamage): Promise<readonly KeyFinding[]> {
    const { wrappingKeyId: id } = version
    const { ref: tenantRef } = this.#tenant.node.record
    const about = aboutNode('version_does_not_open', record, { version, code })
    try {
      await this.#wrappingKey(id)
      return [about]
    } catch (error) {
      const dead = aboutWrappingKey('wrapping_key_does_not_open', { id, tenantRef }, damageOf(error))
      return (await this.#isMissing(id)) ? [aboutNode('wrapping_key_missing', record, { version })] : [dead, about]
    }
  }

  async #isMissing(id: Uint8Array): Promise<boolean> {
    const missing = this.#missing.get(hex(id)) ?? (await isMissing(this.#run.context, id, this.#tenant.node.record.ref))
    this.#missing.set(hex(id), missing)
    return missing
  }
}

// Of versions of a node that only decrypt, those that no living child hangs beneath, and no value was counted for.
async function unreferenced(run: Run, { ref, tenantRef }: NodeRecord, versions: readonly LiveVersion[]): Promise<readonly LiveVersion[]> {
  let left = versions
  if (left.length === 0) return left
  for await (const page of recordPages(run, { type: 'node', tenantRef, parentRef: ref })) {
    const needed = new Set(
      page.flatMap((child) => (child.type === 'node' ? liveVersions(child) : [])).map((child) => hex(child.parentCommitment)),
    )
    left = left.filter(({ commitment }) => !needed.has(hex(commitment)))
    if (left.length === 0) return left
  }
  const unneeded: LiveVersion[] = []
  for (const version of left) if (!(await hasValues(run, version))) unneeded.push(version)
  return unneeded
}

async function hasValues({ holders, goOn }: Run, { version, commitment }: LiveVersion): Promise<boolean> {
  const retiring: RetiringVersion = {
    get tenant(): never {
      throw nameless()
    },
    get subject(): never {
      throw nameless()
    },
    get item(): never {
      throw nameless()
    },
    version,
    valueTag: (context) => valueTag(commitment, utf8(context, 'context')),
    indexTag: indexTag(commitment),
  }
  for (const holder of holders) {
    await goOn()
    const values: unknown = await holder.countValues(retiring)
    if (typeof values !== 'number' || !Number.isSafeInteger(values) || values < 0)
      throw invalidArgument('holders', 'must count with countValues, which resolves to a whole number')
    if (values > 0) return true
  }
  return false
}

// A holder that looked for the values of nobody would find none.
function nameless(): StrongroomError {
  return new StrongroomError('unsupported_operation', 'verifyKeys knows no names: for it, countValues has to search by tag alone')
}

function liveVersions({ versions }: NodeRecord): readonly LiveVersion[] {
  return versions.filter((version): version is LiveVersion => version.state !== KeyState.shredded)
}

async function readNodes(context: KeyContext, refs: readonly Uint8Array[]): Promise<ReadonlyMap<string, NodeRecord>> {
  const distinct = new Map(refs.map((ref) => [hex(ref), ref]))
  if (distinct.size === 0) return new Map()
  const found = await context.keyStore.get([...distinct.values()].map((ref) => ({ type: 'node', ref })))
  return new Map(found.flatMap((record) => (record?.type === 'node' ? [[hex(record.ref), record]] : [])))
}

async function isMissing(context: KeyContext, id: Uint8Array, tenantRef: Uint8Array): Promise<boolean> {
  const record = await findWrappingKey(context, id)
  return record === undefined || !equalBytes(record.tenantRef, tenantRef)
}

/** What did not open, at the second look either. */
class Damaged {
  readonly code: KeyDamage

  constructor(code: KeyDamage) {
    this.code = code
  }
}

// Between two reads a wrapping key may have been wrapped anew, and the root version before it destroyed.
async function lookTwice<T>(look: () => Promise<T>): Promise<T | Damaged> {
  try {
    return await look()
  } catch (error) {
    damageOf(error)
  }
  try {
    return await look()
  } catch (error) {
    return new Damaged(damageOf(error))
  }
}

// Whatever else keeps a key from opening, a provider that is down above all, is no damage.
function damageOf(error: unknown): KeyDamage {
  if (!(error instanceof StrongroomError)) throw error
  const { code } = error
  if (code === 'decrypt_failed' || code === 'root_version_destroyed' || code === 'wrong_root_key') return code
  throw error
}

function aboutNode(
  problem: KeyProblem,
  { kind, ref, tenantRef }: NodeRecord,
  { version, code }: { readonly version?: LiveVersion; readonly code?: KeyDamage } = {},
): KeyFinding {
  return {
    problem,
    kind: kindName(kind),
    ref: hex(ref),
    tenantRef: hex(tenantRef),
    ...(version === undefined ? {} : { version: version.version, wrappingKeyId: hex(version.wrappingKeyId) }),
    ...(code === undefined ? {} : { code }),
  }
}

function aboutWrappingKey(
  problem: KeyProblem,
  { id, tenantRef }: Pick<WrappingKeyRecord, 'id' | 'tenantRef'>,
  code?: KeyDamage,
): KeyFinding {
  return { problem, kind: 'wrapping-key', ref: hex(id), tenantRef: hex(tenantRef), ...(code === undefined ? {} : { code }) }
}

function kindName(kind: NodeKind): keyof typeof NodeKind {
  const name = (Object.keys(NodeKind) as (keyof typeof NodeKind)[]).find((each) => NodeKind[each] === kind)
  return name as keyof typeof NodeKind
}
