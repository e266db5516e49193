// docs/format.md is normative: its worked vectors must be what the code does, byte for byte.
import { readFileSync } from 'node:fs'
import { memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { ed25519PublicKey, ed25519Sign } from '#core/crypto/ed25519.js'
import { XaesKey, xaesOpen } from '#core/crypto/xaes-256-gcm.js'
import { ascii, concat, EMPTY, lp, u64, utf8 } from '#core/format/bytes.js'
import {
  childSalt,
  childWrapKey,
  commitment,
  indexTag,
  noteKey,
  sealKey,
  type ServiceUse,
  serviceKey,
  valueTag,
} from '#core/format/derivations.js'
import {
  CIPHERTEXT_AT,
  isValueForm,
  NONCE_AT,
  fieldData,
  valueData,
  valueFromText,
  valueHeader,
  valueToText,
} from '#core/format/encrypted-value.js'
import { frame, MAX_VALUE_BYTES, unframe } from '#core/format/frame.js'
import { indexData, indexValue, type Normaliser } from '#core/format/index-value.js'
import { type LedgerEntry, LedgerOp, openLedgerEntry, sealLedgerEntry } from '#core/format/ledger-entry.js'
import { normalisedScalar } from '#core/format/normalise.js'
import { type NodePlace, nodeWrapData, unwrapNode } from '#core/format/node-wrap.js'
import { padmeLength } from '#core/format/padding.js'
import { dueIn, periodNote } from '#core/format/period-note.js'
import { openReceipt, type ReceiptBody, signReceipt } from '#core/format/receipt.js'
import { KeyState, NodeKind, Reason } from '#core/format/records.js'
import { firstWrappingKeyId, nextWrappingKeyId, nodeRef, refKeyRef, serviceName, VAULT_REF } from '#core/format/reference.js'
import { binaryScalar, CanonicalScalar, canonicalScalar } from '#core/format/scalar.js'
import { jsonCodec } from '#core/format/value-codec.js'
import { openWrappingKeyPlaintext, wrappingKeyData, wrappingKeyPlaintext } from '#core/format/wrapping-key.js'
import type { KeyTree } from '#core/keys/key-tree.js'
import { Ledger, LEDGER_START, ledgerKey } from '#core/keys/ledger.js'

import { PeriodNotes } from '#core/vault/period-notes.js'

import { flip, hex } from './arbitraries.ts'
import { refusal } from './refusal.ts'

// oxlint-disable-next-line typescript/no-explicit-any
type Json = any

const page = readFileSync(new URL('../../../../docs/format.md', import.meta.url), 'utf8')
const blocks = new Map(
  [...page.matchAll(/^```json name=(\S+)\n([\s\S]*?)\n```$/gm)].map(([, name, body]) => [
    name as string,
    JSON.parse(body as string) as Json,
  ]),
)
const block = (name: string): Json => blocks.get(name) ?? expect.fail(`docs/format.md has no vectors named ${name}`)

const unhex = (text: string): Uint8Array => {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Error('not lower-case hex')
  return new Uint8Array(Buffer.from(text, 'hex'))
}
const text = (value: string): Uint8Array => utf8(value, 'test')

test('the page has these vectors and no others', () => {
  const sizes = Object.fromEntries(
    [...blocks].map(([name, value]) => [name, Array.isArray(value) ? value.length : Object.keys(value).length]),
  )

  expect(sizes).toEqual({
    'length-prefix': 3,
    derivations: 7,
    'wrap-keys': 2,
    'padded-lengths': 17,
    'canonical-scalars': 22,
    'encrypted-values': 20,
    references: 7,
    'node-wraps': 5,
    'wrapping-key': 8,
    ledger: 4,
    'shred-receipt': 19,
    'closure-certificate': 8,
    'erasure-open': 14,
    'erasure-erased': 12,
    'index-values': 3,
    normalised: 27,
    'period-notes': 4,
    pseudonyms: 9,
  })
  // Every fenced block of JSON is one of them.
  expect(page.match(/^```json/gm)?.length).toBe(blocks.size)
})

test('LP', () => {
  for (const v of block('length-prefix')) expect(hex(lp(unhex(v.bytes)))).toBe(v.lp)
})

test('derivations', () => {
  const v = block('derivations')
  const secret = unhex(v.secret)
  const c = commitment(secret)

  expect(hex(c)).toBe(v.commitment)
  expect(hex(sealKey(secret))).toBe(v.sealKey)
  expect(hex(childSalt(secret))).toBe(v.childSalt)
  expect(hex(indexTag(c))).toBe(v.indexTag)
  expect(Object.keys(v.serviceKeys)).toEqual([
    'ref',
    'ledger',
    'index',
    'signing-certificate',
    'pseudonym-deterministic',
    'pseudonym-prefix',
    'pseudonym-nd',
    'pseudonym-ndx',
    'pseudonym-token',
    'pseudonym-id',
  ])
  for (const [use, key] of Object.entries(v.serviceKeys)) expect(hex(serviceKey(secret, use as ServiceUse))).toBe(key)
  for (const [context, tag] of Object.entries(v.tags)) expect(hex(valueTag(c, text(context)))).toBe(tag)
})

test('notes of keys that are to end', async () => {
  const v = block('period-notes')
  const key = noteKey(unhex(v.secret))
  expect(hex(key)).toBe(v.noteKey)
  const stateStore = memoryStateStore()
  // No more of a tree than is asked for.
  const tree = {
    context: { stateStore, vaultId: unhex(v.vaultId) },
    vault: () => Promise.resolve({ node: { active: { noteKey: () => noteKey(unhex(v.secret)) } } }),
  }
  for (const { use, tenantRef, length, name, period, due, key: place, value } of v.notes) {
    const series = { use, tenantRef, length, name: text(name), retain: due - period * length }
    await new PeriodNotes(tree as unknown as KeyTree).note(series, period)
    expect(hex((await stateStore.get('strongroom/period-keys', place))?.value ?? EMPTY)).toBe(value)
    expect([hex(periodNote(key, place, due)), dueIn(key, place, unhex(value))]).toEqual([value, due])
    for (let bit = 0; bit < 8 * 41; bit++) expect(dueIn(key, place, flip(unhex(value), bit))).toBeUndefined()
  }
  expect((await stateStore.due('strongroom/period-keys', Number.MAX_SAFE_INTEGER, 10)).map(({ due }) => due)).toEqual(
    v.notes.map(({ due }: Json) => due).toSorted(),
  )
})

// What is made with them the tests of the package pseudonyms check.
test('keys of pseudonyms', () => {
  const v = block('pseudonyms')
  const name = concat(lp(text(v.purpose)), u64(v.periodLength))
  expect(hex(serviceName('pseudonym-deterministic', name, { period: v.period }))).toBe(v.serviceName)
  expect(hex(serviceName('pseudonym-id', text(v.purpose)))).toBe(v.id.serviceName)
  for (const { use, key } of [...v.modes, { use: 'pseudonym-id', key: v.id.key }])
    expect(hex(serviceKey(unhex(v.secret), use as ServiceUse))).toBe(key)
})

test('wrap keys of children', () => {
  for (const v of block('wrap-keys')) {
    const salt = v.parentSecret === null ? undefined : childSalt(unhex(v.parentSecret))
    expect(hex(childWrapKey(unhex(v.wrappingKey), salt))).toBe(v.wrapKey)
  }
})

test('padded lengths', () => {
  for (const [length, padded] of block('padded-lengths')) expect(padmeLength(length)).toBe(padded)
})

test('canonical scalars', () => {
  for (const v of block('canonical-scalars')) expect(hex(scalarOf(v))).toBe(v.scalar)
})

function scalarOf(v: Json): Uint8Array {
  if ('number' in v) return canonicalScalar(v.number === '-0' ? -0 : Number(v.number), 'record')
  if ('integer' in v) return canonicalScalar(BigInt(v.integer), 'record')
  if ('string' in v) return canonicalScalar(v.string, 'record')
  if ('binary' in v)
    return v.subtype === 0 ? canonicalScalar(unhex(v.binary), 'record') : binaryScalar(v.subtype, unhex(v.binary), 'record')
  if ('objectId' in v) return canonicalScalar(new CanonicalScalar(Uint8Array.of(0x07, ...unhex(v.objectId))), 'record')
  if ('boolean' in v) return canonicalScalar(v.boolean, 'record')
  return canonicalScalar(new Date(v.date), 'record')
}

describe('encrypted values', () => {
  test.each<Json>(block('encrypted-values'))('$of', (v: Json) => {
    const secret = unhex(v.secret)
    const header = valueHeader(valueTag(commitment(secret), text(v.context)))
    const data = valueData(header, fieldData(text(v.context), text(v.field)), v.scalar === null ? undefined : unhex(v.scalar))
    const value = unhex(v.value)
    const key = sealKey(secret)

    expect(hex(data)).toBe(v.associatedData)
    expect(isValueForm(value)).toBe(true)
    expect(hex(value.subarray(0, NONCE_AT))).toBe(hex(header))
    expect(hex(new XaesKey(key).seal(value.subarray(NONCE_AT, CIPHERTEXT_AT), data, unhex(v.frame)))).toBe(
      hex(value.subarray(CIPHERTEXT_AT)),
    )
    const opened = xaesOpen(key, data, value.subarray(NONCE_AT)) as Uint8Array
    expect(hex(opened)).toBe(v.frame)
    expect(valueToText(value)).toBe(v.text)
    expect(hex(valueFromText(v.text) as Uint8Array)).toBe(v.value)

    const padded = (unhex(v.frame)[0] as number) >= 0x80
    const [type, plain] = typed(v)
    expect(unframe(opened)?.type).toBe(type)
    expect(jsonCodec.decode(unframe(opened) as never)).toStrictEqual(plain)
    expect(hex(frame(jsonCodec.encode(plain), padded))).toBe(v.frame)
    if (v.record !== null) expect(hex(recordOf(v.record))).toBe(v.scalar)

    for (let bit = 8 * NONCE_AT; bit < 8 * value.length; bit += 5)
      expect(xaesOpen(key, data, flip(value, bit).subarray(NONCE_AT))).toBeUndefined()
    expect(xaesOpen(key, flip(data, 9), value.subarray(NONCE_AT))).toBeUndefined()
  })
})

function typed(v: Json): [number, unknown] {
  switch (v.type) {
    case 'string':
      return [0x02, v.plain]
    case 'int32':
      return [0x10, v.plain]
    case 'double':
      return [0x01, Number(v.plain)]
    case 'int64':
      return [0x12, BigInt(v.plain)]
    case 'boolean':
      return [0x08, v.plain]
    case 'date':
      return [0x09, new Date(v.plain)]
    case 'binary':
      return [0x05, unhex(v.plain)]
    case 'json':
      return [0x70, JSON.parse(v.plain)]
    default:
      return expect.fail(`an unknown type: ${v.type}`)
  }
}

function recordOf(record: string): Uint8Array {
  const at = record.indexOf(' ')
  const rest = record.slice(at + 1)
  switch (record.slice(0, at)) {
    case 'string':
      return scalarOf({ string: rest })
    case 'number':
      return scalarOf({ number: rest })
    case 'ObjectId':
      return scalarOf({ objectId: rest })
    case 'binary':
      return scalarOf({ binary: rest, subtype: 0 })
    default:
      return expect.fail(`an unknown record: ${record}`)
  }
}

test('references', () => {
  const v = block('references')
  const vaultId = unhex(v.vaultId)
  const tenant = unhex(v.named[0].ref)

  expect(hex(refKeyRef(vaultId, VAULT_REF))).toBe(v.refKeyOfVault)
  expect(hex(refKeyRef(vaultId, tenant))).toBe(v.refKeyOfTenant)
  expect(hex(firstWrappingKeyId(vaultId, tenant))).toBe(v.firstWrappingKeyIdOfTenant)
  expect(hex(nextWrappingKeyId(vaultId, unhex(v.firstWrappingKeyIdOfTenant)))).toBe(v.nextWrappingKeyIdOfTenant)
  expect(v.named.length).toBe(7)
  for (const n of v.named)
    expect(hex(nodeRef(serviceKey(unhex(n.refSecret), 'ref'), n.kind, unhex(n.parentRef), unhex(n.name)))).toBe(n.ref)
  for (const n of v.serviceNames) {
    const life = n.life === 'none' ? undefined : n.life === 'generation' ? { generation: n.number } : { period: n.number }
    expect(hex(serviceName(n.use, text(n.name), life))).toBe(n.bytes)
  }
})

describe('wraps of nodes', () => {
  test.each<Json>(block('node-wraps'))('$of', (v: Json) => {
    const place: NodePlace = {
      kind: v.kind,
      ref: unhex(v.ref),
      parentRef: unhex(v.parentRef),
      parentVersion: v.parentVersion,
      parentCommitment: unhex(v.parentCommitment),
      tenantRef: unhex(v.tenantRef),
      version: v.version,
      state: v.state,
      commitment: unhex(v.commitment),
      region: v.region,
      created: v.created,
    }
    const wrap = unhex(v.wrap)
    const data = nodeWrapData(unhex(v.vaultId), place)

    expect(hex(data)).toBe(v.associatedData)
    expect(hex(unwrapNode(unhex(v.wrapKey), unhex(v.vaultId), place, wrap) as Uint8Array)).toBe(v.secret)
    expect(hex(commitment(unhex(v.secret)))).toBe(v.commitment)
    expect(hex(new XaesKey(unhex(v.wrapKey)).seal(wrap.subarray(1, 25), data, unhex(v.secret)))).toBe(hex(wrap.subarray(25)))
    for (let bit = 0; bit < 8 * wrap.length; bit++)
      expect(unwrapNode(unhex(v.wrapKey), unhex(v.vaultId), place, flip(wrap, bit))).toBeUndefined()
  })
})

test('the wrapping key', () => {
  const v = block('wrapping-key')
  const data = wrappingKeyData(unhex(v.vaultId), { id: unhex(v.id), tenantRef: unhex(v.tenantRef), region: v.region, created: v.created })

  expect(hex(data)).toBe(v.associatedData)
  expect(hex(wrappingKeyPlaintext(unhex(v.key), data))).toBe(v.plaintext)
  expect(hex(openWrappingKeyPlaintext(unhex(v.plaintext), data) as Uint8Array)).toBe(v.key)
  for (let bit = 0; bit < 512; bit++) expect(openWrappingKeyPlaintext(flip(unhex(v.plaintext), bit), data)).toBeUndefined()
})

test('the ledger', () => {
  const v = block('ledger')
  const key = serviceKey(unhex(v.secret), 'ledger')
  let previous: Uint8Array = new Uint8Array(32)
  for (const [i, e] of v.entries.entries()) {
    const entry: LedgerEntry = {
      vaultId: unhex(v.vaultId),
      n: e.n,
      previous,
      op: e.op,
      kind: e.kind,
      ref: unhex(e.ref),
      parentRef: unhex(e.parentRef),
      tenantRef: unhex(e.tenantRef),
      region: e.region,
      keys: e.keys.map((k: Json) => ({ version: k.version, commitment: unhex(k.commitment) })),
      rootVersion: { number: e.rootVersion.number, id: unhex(e.rootVersion.id) },
      instant: e.instant,
      reason: e.reason,
    }
    const { bytes, hash } = sealLedgerEntry(key, entry)

    expect(e.n).toBe(i + 1)
    expect(hex(hash)).toBe(e.hash)
    expect(hex(bytes)).toBe(e.stored)
    expect(hex(openLedgerEntry(key, unhex(e.stored))?.previous ?? EMPTY)).toBe(hex(previous))
    for (let bit = 0; bit < 8 * bytes.length; bit += 3) expect(openLedgerEntry(key, flip(bytes, bit))).toBeUndefined()
    previous = hash
  }
  expect(v.entries.length).toBe(3)
})

test('the pages of the ledger', async () => {
  const v = block('ledger')
  const [vaultId, key] = [unhex(v.vaultId), serviceKey(unhex(v.secret), 'ledger')]
  const [keyStore, stateStore] = [memoryKeyStore(), memoryStateStore()]
  for (const { key: name, value } of v.pages) await stateStore.put('strongroom/ledger', name, unhex(value), { expected: 'absent' })
  const ledger = new Ledger({ vaultId, keyStore, stateStore }, () => Promise.resolve(key))
  const hashes: string[] = []
  for await (const entry of ledger.after(LEDGER_START)) hashes.push(hex(entry.hash))

  expect(hashes).toEqual(v.entries.map((e: Json) => e.hash))
  // What a page is made of, and where it is kept.
  const lps = v.entries.map((e: Json) => hex(lp(unhex(e.stored))))
  expect(v.pages).toEqual([
    { key: ledgerKey(vaultId, 1), value: lps[0] },
    { key: ledgerKey(vaultId, 2), value: lps[1] + lps[2] },
  ])
  expect(ledgerKey(vaultId, 2)).toBe(`${v.vaultId}/0000000000000002`)
})

test('the shred receipt', () => {
  const v = block('shred-receipt')
  const seed = serviceKey(unhex(v.secret), 'signing-certificate')
  const body: ReceiptBody = {
    vaultId: unhex(v.vaultId),
    kind: v.kind,
    ref: unhex(v.ref),
    parentRef: unhex(v.parentRef),
    tenantRef: unhex(v.tenantRef),
    region: v.region,
    versions: v.versions,
    rootVersion: { number: v.rootVersion.number, id: unhex(v.rootVersion.id) },
    instant: v.instant,
    reason: v.reason,
    ledger: { n: v.ledger.n, hash: unhex(v.ledger.hash) },
    kept: v.kept.map(({ ref, until }: { ref: string; until: number }) => ({ ref: unhex(ref), until })),
  }

  expect(hex(seed)).toBe(v.seed)
  expect(hex(ed25519PublicKey(seed))).toBe(v.publicKey)
  expect(signReceipt(seed, body)).toBe(v.text)
  expect(v.trustedKey).toBe(v.vaultId + v.publicKey)
  expect(openReceipt(v.text, [unhex(v.trustedKey)])).toEqual(body)
  // Its parts, one by one.
  expect(v.text).toBe(`srr1.${Buffer.from(v.fields + v.publicKey + v.signature, 'hex').toString('base64url')}`)
  expect(hex(ed25519Sign(seed, concat(lp(ascii('strongroom/v1/shred-receipt')), unhex(v.fields))))).toBe(v.signature)
  // It is for that entry of the page's ledger.
  const entry = block('ledger').entries[v.ledger.n - 1]
  for (const field of ['kind', 'ref', 'parentRef', 'tenantRef', 'region', 'rootVersion', 'instant', 'reason'])
    expect([field, v[field]]).toEqual([field, entry[field]])
  expect([v.ledger.hash, v.versions]).toEqual([entry.hash, entry.keys.length])
})

test('index values', () => {
  for (const v of block('index-values')) {
    const secret = unhex(v.secret)
    const value = indexValue(
      indexTag(commitment(secret)),
      serviceKey(secret, 'index'),
      indexData(text(v.domain), v.normaliser as Normaliser),
      unhex(v.scalar),
    )
    expect(hex(value)).toBe(v.value)
  }
})

describe('normalised values', () => {
  test.each<Json>(block('normalised'))('$normaliser of $input', (v: Json) => {
    const scalar = (): string => hex(normalisedScalar(v.normaliser as Normaliser, v.input, 'value'))
    if (v.normalised === null) return expect(refusal(scalar)).toMatchObject({ code: 'invalid_argument', argument: 'value' })
    expect(scalar()).toBe(hex(canonicalScalar(v.normalised, 'value')))
  })
})

test('the tables of codes and limits say what the code has', () => {
  const row = (start: string): string =>
    page.split('\n').find((line) => line.startsWith(`| ${start}`)) ?? expect.fail(`no row for ${start}`)
  const codes = (start: string): number[] => [...(row(start).split('|')[2] ?? '').matchAll(/(?:^|, ) ?(\d+) /g)].map((m) => Number(m[1]))

  expect(codes('kind of node')).toEqual(Object.values(NodeKind))
  expect(codes('state of a key version')).toEqual(Object.values(KeyState))
  expect(codes('reason')).toEqual(Object.values(Reason))
  expect(codes('operation in the ledger')).toEqual(Object.values(LedgerOp))
  expect(row('one value')).toContain(MAX_VALUE_BYTES.toLocaleString('en-US'))
  expect(row('a canonical scalar')).toContain((65_536).toLocaleString('en-US'))
  expect(canonicalScalar(new Uint8Array(65_534), 'record').length).toBe(65_536)
  // The types that a frame may have are those of the table.
  const types = [...page.matchAll(/^\| `0x([0-9a-f]{2})` \| /gm)].map((m) => Number.parseInt(m[1] as string, 16))
  expect(types).toEqual(Array.from({ length: 128 }, (_, type) => type).filter((type) => unframe(Uint8Array.of(type)) !== undefined))
})
