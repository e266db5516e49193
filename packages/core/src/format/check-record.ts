/** Strict shapes of what comes back from a key store: whoever can write it may have written anything. */

import { decryptFailed } from '../errors.ts'
import { isBytes } from './bytes.ts'
import { NODE_WRAP_BYTES } from './node-wrap.ts'
import { type Destruction, type KeyStoreRecord, LEAST_CACHE_BOUND, MOST_CACHE_BOUND, type RootVersion } from './records.ts'

const MAX_U32 = 2 ** 32 - 1
/** The most that a provider's wrap may be, in bytes. */
export const MAX_WRAP = 4096
const MAX_REGION = 64
const WRAPPING_KEY_STATES: readonly unknown[] = ['current', 'retiring', 'retired']
const ROOT_STATES: readonly unknown[] = ['live', 'destroyed']
const LEVELS: readonly unknown[] = ['confirmed', 'scheduled', 'operator-asserted']

type Loose = Readonly<Record<string, unknown>>

/** The record itself, if it is whole. @throws StrongroomError `decrypt_failed` otherwise. */
export function checkRecord<T extends KeyStoreRecord>(record: T): T {
  if (!isObject(record) || !isCount(record['revision'], 1) || SHAPES.get(record['type'])?.(record) !== true) throw decryptFailed()
  return record
}

const SHAPES: ReadonlyMap<unknown, (record: Loose) => boolean> = new Map([
  ['node', isNode],
  ['wrapping-key', isWrappingKey],
  ['region', isRegion],
  ['vault', isVault],
])

function isNode(r: Loose): boolean {
  const versions = r['versions']
  return (
    bytes(r['ref'], 16) &&
    isCount(r['kind'], 0, 5) &&
    (bytes(r['parentRef'], 16) || bytes(r['parentRef'], 0)) &&
    bytes(r['tenantRef'], 16) &&
    isRegionName(r['region']) &&
    Array.isArray(versions) &&
    versions.length > 0 &&
    versions.every(isVersion) &&
    ascending(versions, 'version') &&
    (r['label'] === undefined || isBytes(r['label']))
  )
}

function isVersion(v: unknown): boolean {
  if (!isObject(v) || !isCount(v['version'], 1, MAX_U32) || !bytes(v['commitment'], 32)) return false
  if (v['state'] === 4) {
    const ledger = v['ledger']
    return (
      isRootVersion(v['rootVersion']) &&
      isCount(v['instant'], 0) &&
      isCount(v['reason'], 0, 255) &&
      isObject(ledger) &&
      isCount(ledger['n'], 1) &&
      bytes(ledger['hash'], 32)
    )
  }
  return (
    isCount(v['state'], 1, 3) &&
    isCount(v['parentVersion'], 0, MAX_U32) &&
    bytes(v['parentCommitment'], 32) &&
    bytes(v['wrappingKeyId'], 16) &&
    bytes(v['wrap'], NODE_WRAP_BYTES) &&
    isCount(v['created'], 0)
  )
}

function isWrappingKey(r: Loose): boolean {
  const wraps = r['wraps']
  return (
    bytes(r['id'], 16) &&
    bytes(r['tenantRef'], 16) &&
    isRegionName(r['region']) &&
    typeof r['marked'] === 'boolean' &&
    WRAPPING_KEY_STATES.includes(r['state']) &&
    Array.isArray(wraps) &&
    wraps.every((w: unknown) => isObject(w) && isRootVersion(w['rootVersion']) && isBytes(w['wrap']) && w['wrap'].length <= MAX_WRAP) &&
    isCount(r['created'], 0)
  )
}

function isRegion(r: Loose): boolean {
  const versions = r['versions']
  return (
    isRegionName(r['region']) &&
    Array.isArray(versions) &&
    versions.length > 0 &&
    versions.every(isKnownRootVersion) &&
    ascending(versions, 'number') &&
    isCount(r['current'], 1, MAX_U32) &&
    isCount(r['closing'], 0, MAX_U32) &&
    (r['epoch'] === undefined || isEpoch(r['epoch']))
  )
}

function isKnownRootVersion(v: unknown): boolean {
  if (!isRootVersion(v)) return false
  const { state, announced, destroyed, destruction } = v as unknown as Loose
  return (
    ROOT_STATES.includes(state) &&
    isLedgerNote(announced) &&
    (destroyed === undefined || isLedgerNote(destroyed)) &&
    (destruction === undefined || isDestruction(destruction))
  )
}

function isLedgerNote(note: unknown): boolean {
  return isObject(note) && isCount(note['n'], 1) && bytes(note['hash'], 32) && isCount(note['instant'], 0)
}

/** Whether this is what a provider may say of a destruction. */
export function isDestruction(d: unknown): d is Destruction {
  return isObject(d) && LEVELS.includes(d['level']) && isCount(d['effectiveAt'], 0) && isCount(d['copiesUntil'], 0)
}

function isEpoch(e: unknown): boolean {
  return isObject(e) && isCount(e['rootVersion'], 1, MAX_U32) && bytes(e['marker'], 16) && isCount(e['instant'], 0)
}

function isVault(r: Loose): boolean {
  const head = r['head']
  const bootstrap = r['bootstrap']
  return (
    bytes(r['vaultId'], 16) &&
    isRegionName(r['homeRegion']) &&
    isCount(r['cacheBound'], LEAST_CACHE_BOUND, MOST_CACHE_BOUND) &&
    isCount(r['created'], 0) &&
    isObject(head) &&
    isCount(head['n'], 0) &&
    bytes(head['hash'], 32) &&
    isCount(r['applied'], 0, head['n'] as number) &&
    bytes(r['check'], 32) &&
    (bootstrap === undefined || (Array.isArray(bootstrap) && bootstrap.every(isBootstrap)))
  )
}

function isBootstrap(record: unknown): boolean {
  if (!isObject(record) || !isCount(record['revision'], 1, 1)) return false
  return record['type'] !== 'vault' && SHAPES.get(record['type'])?.(record) === true
}

/** Whether this is a root version: a number of 32 bits, and an id of 1 to 1,024 bytes. */
export function isRootVersion(v: unknown): v is RootVersion {
  return isObject(v) && isCount(v['number'], 1, MAX_U32) && isBytes(v['id']) && v['id'].length > 0 && v['id'].length <= 1024
}

function isRegionName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_REGION && value.isWellFormed()
}

function bytes(value: unknown, length: number): boolean {
  return isBytes(value) && value.length === length
}

function isCount(value: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null
}

function ascending(list: readonly Loose[], name: string): boolean {
  for (let i = 1; i < list.length; i++) if ((list[i]?.[name] as number) <= (list[i - 1]?.[name] as number)) return false
  return true
}
