// Agreement with vectors/strongroom/format.json, which another implementation made from the description of the format alone.
import { XaesKey, xaesOpen } from '#core/crypto/xaes-256-gcm.js'
import { EMPTY } from '#core/format/bytes.js'
import { childSalt, childWrapKey, commitment, indexTag, sealKey, serviceKey, valueTag } from '#core/format/derivations.js'
import {
  CIPHERTEXT_AT,
  fieldData,
  HEADER_BYTES,
  isValueForm,
  NONCE_AT,
  valueData,
  valueFromText,
  valueHeader,
  valueToText,
} from '#core/format/encrypted-value.js'
import { frame, unframe } from '#core/format/frame.js'
import { indexData, indexValue } from '#core/format/index-value.js'
import { nodeWrapData, unwrapNode } from '#core/format/node-wrap.js'
import { nodeRef, refKeyRef, serviceName, VAULT_REF } from '#core/format/reference.js'
import { binaryScalar, CanonicalScalar, canonicalScalar } from '#core/format/scalar.js'
import { jsonCodec } from '#core/format/value-codec.js'
import { openWrappingKeyPlaintext, wrappingKeyData, wrappingKeyPlaintext } from '#core/format/wrapping-key.js'

import { flipped, hex, is, refused, same, unhex, utf8 } from './support.mjs'

/** One check for each item of each section; each throws at the first difference. */
const CHECKS = {
  derivations: (v) => {
    const secret = unhex(v.secret)
    const c = commitment(secret)
    same(c, v.commitment, 'commitment')
    same(sealKey(secret), v.sealKey, 'seal key')
    same(childSalt(secret), v.childSalt, 'child salt')
    same(serviceKey(secret, 'ref'), v.useRef, 'use ref')
    same(serviceKey(secret, 'index'), v.useIndex, 'use index')
    same(indexTag(c), v.indexTag, 'index tag')
    for (const [context, tag] of Object.entries(v.tags)) same(valueTag(c, utf8(context)), tag, `tag of ${context}`)
  },
  childWrapKeys: (v) => {
    const salt = v.parentSecret === null ? undefined : childSalt(unhex(v.parentSecret))
    same(childWrapKey(unhex(v.wrappingKey), salt), v.key, 'child wrap key')
  },
  references: (v) => {
    const vaultId = unhex(v.vaultId)
    const vaultKey = serviceKey(unhex(v.vaultRefNodeSecret), 'ref')
    const tenantKey = serviceKey(unhex(v.tenantRefNodeSecret), 'ref')
    const tenant = nodeRef(vaultKey, 1, EMPTY, utf8('acme'))
    const subject = nodeRef(tenantKey, 2, tenant, utf8('alice'))
    const [subjectX, itemX] = v['subject x beside item x']
    same(refKeyRef(vaultId, VAULT_REF), v.vaultRefNode, 'ref node of the vault')
    same(refKeyRef(vaultId, tenant), v.tenantRefNode, 'ref node of the tenant')
    same(tenant, v['tenant acme'], 'tenant')
    same(subject, v['subject alice'], 'subject')
    same(nodeRef(tenantKey, 3, subject, utf8('hubspot')), v['item hubspot'], 'item')
    same(
      nodeRef(tenantKey, 4, tenant, serviceName('index', utf8('users.email'), { generation: 3 })),
      v['service index users.email generation 3'],
      'service index',
    )
    same(
      nodeRef(tenantKey, 4, tenant, serviceName('pseudonym', utf8('access-log'), { period: 20_415 })),
      v['service pseudonym access-log period 20415'],
      'service pseudonym',
    )
    same(nodeRef(tenantKey, 2, tenant, utf8('x')), subjectX, 'subject x')
    same(nodeRef(tenantKey, 3, tenant, utf8('x')), itemX, 'item x')
  },
  nodeWraps: (v) => {
    const { vaultId, place, wrapKey, wrap } = wrapped(v)
    same(childWrapKey(unhex(v.wrappingKey), v.parentSecret && childSalt(unhex(v.parentSecret))), v.wrapKey, 'wrap key')
    const data = nodeWrapData(vaultId, place)
    same(data, v.ad, 'associated data')
    same(unwrapNode(wrapKey, vaultId, place, wrap), v.secret, 'unwrap')
    same(new XaesKey(wrapKey).seal(unhex(v.nonce), data, unhex(v.secret)), hex(wrap.subarray(25)), 'wrap')
    is(hex(wrap.subarray(0, 25)), `01${v.nonce}`, 'version and nonce')
  },
  wrappingKey: (v) => {
    const data = wrappingKeyData(unhex(v.vaultId), wrappingKeyPlace(v))
    same(data, v.ad, 'associated data')
    same(wrappingKeyPlaintext(unhex(v.key), data), v.providerPlaintext, 'what the provider wraps')
    same(openWrappingKeyPlaintext(unhex(v.providerPlaintext), data), v.key, 'open')
  },
  sealed: (v) => {
    const { ad, key, value } = sealed(v)
    same(ad, v.ad, 'associated data')
    is(isValueForm(value), true, 'form')
    same(valueHeader(valueTag(commitment(unhex(v.secret)), utf8(v.context))), hex(value.subarray(0, HEADER_BYTES)), 'header')
    is(hex(value.subarray(NONCE_AT, CIPHERTEXT_AT)), v.nonce, 'nonce')
    const opened = xaesOpen(key, ad, value.subarray(NONCE_AT))
    same(opened, v.frame, 'open')
    same(new XaesKey(key).seal(unhex(v.nonce), ad, unhex(v.frame)), hex(value.subarray(CIPHERTEXT_AT)), 'seal')
    same(valueFromText(valueToText(value)), v.value, 'text form')
    // The frame: what it holds, and back to the same bytes.
    const padded = (opened[0] & 0x80) !== 0
    is(padded, v.what.startsWith('padded'), 'padded')
    const encoded = unframe(opened)
    same(frame(encoded, padded), v.frame, 'frame')
    const decoded = jsonCodec.decode(encoded)
    if (NOT_OF_CORE.has(v.what)) return refused(decoded, `${v.what}, which core does not know`)
    sameValue(decoded, valueOf(v.what), v.what)
    same(frame(jsonCodec.encode(decoded), padded), v.frame, 'encoded again')
    same(frame(jsonCodec.encode(valueOf(v.what)), padded), v.frame, 'encoded')
  },
  canonicalScalars: (v) => {
    same(SCALARS[v.what](), v.bytes, v.what)
  },
  indexValues: (v) => {
    const secret = unhex(v.secret)
    const make = (scalar) =>
      indexValue(indexTag(commitment(secret)), serviceKey(secret, 'index'), indexData(utf8(v.domain), v.normaliser), scalar)
    same(make(unhex(v.scalar)), v.value, 'index value')
  },
}

/** Every section of the file, and how many items of each agreed. */
export function checkFormat(file) {
  const counts = {}
  for (const [section, items] of sections(file)) {
    for (const [i, item] of items.entries()) named(`${section} ${i}`, () => CHECKS[section](item))
    counts[section] = items.length
  }
  // These two sections hold several results in one item.
  counts.tags = file.derivations.reduce((sum, v) => sum + Object.keys(v.tags).length, 0)
  counts.references = Object.entries(file.references).flatMap(([name, value]) => (REFERENCE_INPUTS.has(name) ? [] : value)).length
  return counts
}

/** How many vectors hold stored bytes that open, and that no longer open with any one bit of any byte changed. */
export function checkFormatRefusals(file) {
  let count = 0
  for (const v of withContext(file).nodeWraps) {
    const { vaultId, place, wrapKey, wrap } = wrapped(v)
    same(unwrapNode(wrapKey, vaultId, place, wrap), v.secret, 'unwrap')
    everyByte(wrap, (bytes) => refused(unwrapNode(wrapKey, vaultId, place, bytes), 'wrap'))
    everyByte(vaultId, (bytes) => refused(unwrapNode(wrapKey, bytes, place, wrap), 'wrap of another vault'))
    everyByte(wrapKey, (bytes) => refused(unwrapNode(bytes, vaultId, place, wrap), 'wrap under another key'))
    count++
  }
  for (const v of withContext(file).wrappingKey) {
    const data = wrappingKeyData(unhex(v.vaultId), wrappingKeyPlace(v))
    const plaintext = unhex(v.providerPlaintext)
    same(openWrappingKeyPlaintext(plaintext, data), v.key, 'wrapping key')
    everyByte(plaintext, (bytes) => refused(openWrappingKeyPlaintext(bytes, data), 'wrapping key'))
    everyByte(data, (bytes) => refused(openWrappingKeyPlaintext(plaintext, bytes), 'wrapping key of another place'))
    count++
  }
  for (const v of file.sealed) {
    const { ad, key, value } = sealed(v)
    // The header is associated data: whoever opens makes that from the bytes in hand.
    const open = (bytes, data) => (isValueForm(bytes) ? xaesOpen(key, data, bytes.subarray(NONCE_AT)) : undefined)
    const rest = unhex(v.ad).subarray(24 + HEADER_BYTES)
    const dataFor = (bytes) => unhex(hex(ad.subarray(0, 24)) + hex(bytes.subarray(0, HEADER_BYTES)) + hex(rest))
    same(open(value, dataFor(value)), v.frame, v.what)
    everyByte(value, (bytes) => refused(open(bytes, dataFor(bytes)), v.what))
    everyByte(ad, (data) => refused(open(value, data), `${v.what}: associated data`))
    count++
  }
  return count
}

/**
 * Changes one byte at the start, middle and end of each hex text in the file, and expects that the check of that item fails:
 * so no byte string of the file goes unread. Returns how many changes it made.
 */
export function checkFormatIsRead(file) {
  let changes = 0
  for (const [section, items] of sections(file)) {
    for (const [i, item] of items.entries()) {
      for (const path of hexPaths(item)) {
        for (const mutant of mutants(item, path)) {
          let noticed = false
          try {
            CHECKS[section](mutant)
          } catch {
            noticed = true
          }
          if (!noticed) throw new Error(`${section} ${i}: a change of ${path.join('.')} goes unnoticed`)
          changes++
        }
      }
    }
  }
  return changes
}

const REFERENCE_INPUTS = new Set(['vaultId', 'vaultRefNodeSecret', 'tenantRefNodeSecret'])

// Types of a database: its adapter brings a codec for them.
const NOT_OF_CORE = new Set(['uuid', 'objectId', 'document {a:1}'])

const SCALARS = {
  5: () => canonicalScalar(5, 'record'),
  '-0': () => canonicalScalar(-0, 'record'),
  0.5: () => canonicalScalar(0.5, 'record'),
  NaN: () => canonicalScalar(Number.NaN, 'record'),
  '2^63': () => canonicalScalar(2 ** 63, 'record'),
  '-2^63': () => canonicalScalar(-(2n ** 63n), 'record'),
  'string ada': () => canonicalScalar('ada', 'record'),
  'bytes 0102': () => canonicalScalar(Uint8Array.of(1, 2), 'record'),
  'uuid bytes': () => canonicalScalar(new CanonicalScalar(binaryScalar(4, new Uint8Array(16), 'record')), 'record'),
  true: () => canonicalScalar(true, 'record'),
  'date 0': () => canonicalScalar(new Date(0), 'record'),
  'date -1': () => canonicalScalar(new Date(-1), 'record'),
}

// How core makes the scalar of each record that the file binds.
const RECORDS = {
  'bound to a string id': 'u1',
  'bound to ObjectId': new CanonicalScalar(unhex(`07${'65'.repeat(12)}`)),
  'bound to number 5': 5,
}

function valueOf(what) {
  switch (what) {
    case 'int32 7':
      return 7
    case 'int64 -2^53':
      return -(2n ** 53n)
    case 'double -0':
      return -0
    case 'double NaN':
      return Number.NaN
    case 'string':
      return 'ada@example.com'
    case 'empty string':
      return ''
    case 'string utf8':
      return 'Zoë 🔑'.normalize('NFC')
    case 'bytes':
      return unhex('be286a904021028fe0d90997d137f6e691752bd3')
    case 'true':
      return true
    case 'date 2026-11-22T00:00:00.000Z':
      return new Date('2026-11-22T00:00:00.000Z')
    case 'json':
      return { a: [1, null] }
    case 'padded':
      return 'a'.repeat(100)
    case 'padded empty':
      return ''
    default:
      return 'ada'
  }
}

function sameValue(actual, expected, what) {
  if (expected instanceof Uint8Array) return same(actual, hex(expected), what)
  if (expected instanceof Date) return is(actual?.getTime(), expected.getTime(), what)
  if (typeof expected === 'object') return is(JSON.stringify(actual), JSON.stringify(expected), what)
  is(actual, expected, what)
}

function wrapped(v) {
  const place = {
    kind: v.kind,
    ref: unhex(v.ref),
    parentRef: unhex(v.parentRef),
    parentVersion: v.parentVersion,
    parentCommitment: unhex(v.parentC),
    tenantRef: unhex(v.tenantRef),
    version: v.version,
    state: v.state,
    commitment: commitment(unhex(v.secret)),
    region: v.region,
    created: v.created,
  }
  return { vaultId: unhex(v.vaultId), place, wrapKey: unhex(v.wrapKey), wrap: unhex(v.wrap) }
}

function wrappingKeyPlace(v) {
  return { id: unhex(v.id), tenantRef: unhex(v.tenantRef), region: v.region, created: v.created }
}

function sealed(v) {
  const secret = unhex(v.secret)
  const record = RECORDS[v.what] === undefined ? undefined : canonicalScalar(RECORDS[v.what], 'record')
  if (record === undefined) is(v.recordScalar, null, 'record')
  else same(record, v.recordScalar, 'record')
  const header = valueHeader(valueTag(commitment(secret), utf8(v.context)))
  return { ad: valueData(header, fieldData(utf8(v.context), utf8(v.field)), record), key: sealKey(secret), value: unhex(v.value) }
}

// Items of the file, with what they take from their surroundings put into each.
function withContext(file) {
  return {
    ...file,
    references: [file.references],
    nodeWraps: file.nodeWraps.wraps.map((wrap) => ({
      ...wrap,
      vaultId: file.nodeWraps.vaultId,
      wrappingKey: file.wrappingKey.key,
      parentSecret: file.derivations.find((v) => v.commitment === wrap.parentC)?.secret,
    })),
    wrappingKey: [{ ...file.wrappingKey, vaultId: file.nodeWraps.vaultId }],
  }
}

function sections(file) {
  const { about, ...rest } = withContext(file)
  is(typeof about, 'string', 'about')
  is(Object.keys(rest).sort().join(), Object.keys(CHECKS).sort().join(), 'sections of the file')
  return Object.entries(rest)
}

function named(what, check) {
  try {
    check()
  } catch (error) {
    throw new Error(`${what}: ${error.message}`, { cause: error })
  }
}

function everyByte(bytes, check) {
  for (let at = 0; at < bytes.length; at++) check(flipped(bytes, at, at % 8))
}

function hexPaths(item, path = []) {
  if (typeof item === 'string') return /^(?:[0-9a-f]{2}){2,}$/.test(item) ? [path] : []
  if (item === null || typeof item !== 'object') return []
  return Object.entries(item).flatMap(([key, value]) => hexPaths(value, [...path, key]))
}

function* mutants(item, path) {
  const last = path.reduce((at, key) => at[key], item).length / 2 - 1
  for (const at of new Set([0, last >> 1, last])) {
    const mutant = structuredClone(item)
    const holder = path.slice(0, -1).reduce((inner, key) => inner[key], mutant)
    const key = path.at(-1)
    holder[key] = hex(flipped(unhex(holder[key]), at, 3))
    yield mutant
  }
}
