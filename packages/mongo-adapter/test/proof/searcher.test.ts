// The searcher itself: whatever is planted, in any channel and any encoding, it finds.
import { inspect } from 'node:util'

import { BSON, Decimal128, Double, Int32, Long } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { type Canary, needlesOf } from './forms.ts'
import { openProof, type Proof, uri } from './proof.ts'
import { type Channel, CHANNELS, Witness } from './witness.ts'

const TEXT = 'Zwölf Boxkämpfer W6p2'
const EMAIL = ' Planted.W6p2@Holunder-W6p2.example'
const PHONE = '+49 (30) 9018-20 736'
const SMALL = 1_928_374_655
const LARGE = 91_827_364_655_463
const BROKEN = 9.182736465546
const HUGE = 8_192_837_465_546_372_819n
const BYTES = Uint8Array.from({ length: 20 }, (_, i) => (i * 91 + 177) % 256)
const BORN = new Date('1949-08-17T03:02:01.987Z')

const bson = (value: unknown): Buffer => Buffer.from(BSON.serialize({ v: value }))
const shifted = (text: string | Uint8Array): readonly Buffer[] =>
  ['', 'a', 'ab'].map((before) => Buffer.concat([Buffer.from(before), Buffer.from(text as string), Buffer.from('zz')]))

/** How each canary may be written down: made without what the searcher makes its needles with. */
const PLANTED: readonly (readonly [string, Canary['value'], readonly Uint8Array[]])[] = [
  ['text as UTF-8', TEXT, [Buffer.from(`…${TEXT}…`)]],
  ['text as UTF-16 LE', TEXT, [Buffer.from(`x${TEXT}x`, 'utf16le')]],
  ['text as UTF-16 BE', TEXT, [Buffer.from(`x${TEXT}x`, 'utf16le').swap16()]],
  ['text as hex', TEXT, [Buffer.from(Buffer.from(TEXT).toString('hex')), Buffer.from(Buffer.from(TEXT).toString('hex').toUpperCase())]],
  ['text as hex of UTF-16', TEXT, [Buffer.from(Buffer.from(TEXT, 'utf16le').toString('hex'))]],
  ['text as base64', TEXT, shifted(TEXT).map((bytes) => Buffer.from(bytes.toString('base64')))],
  ['text as base64url', TEXT, shifted(TEXT).map((bytes) => Buffer.from(bytes.toString('base64url')))],
  ['text as base64 of UTF-16', TEXT, shifted(Buffer.from(TEXT, 'utf16le')).map((bytes) => Buffer.from(bytes.toString('base64')))],
  ['text as JSON of bytes', TEXT, [Buffer.from(JSON.stringify(Buffer.from(TEXT)))]],
  ['text in a URL', TEXT, [Buffer.from(`?q=${encodeURIComponent(TEXT)}`)]],
  ['text normalised', TEXT, [Buffer.from(TEXT.toLowerCase()), Buffer.from(TEXT.normalize('NFD')), Buffer.from(TEXT.toUpperCase())]],
  ['e-mail address normalised', EMAIL, [Buffer.from(EMAIL.trim().toLowerCase()), Buffer.from(EMAIL.trim().toUpperCase())]],
  ['parts of an e-mail address', EMAIL, [Buffer.from('planted.w6p2'), Buffer.from('holunder-w6p2.EXAMPLE')]],
  ['telephone number normalised', PHONE, [Buffer.from('+4930901820736'), Buffer.from('4930901820736'), Buffer.from('(0)30901820736')]],
  ['int32', SMALL, [bson(new Int32(SMALL))]],
  ['int32 in a list', SMALL, [bson([0, new Int32(SMALL)])]],
  ['int32 as the body of a frame', SMALL, [Buffer.of(0x10, ...bson(new Int32(SMALL)).subarray(7, 11))]],
  ['int64', LARGE, [bson(Long.fromNumber(LARGE)), bson(Long.fromNumber(LARGE)).reverse()]],
  ['int64 of 64 bits', HUGE, [bson(HUGE), Buffer.from(String(HUGE))]],
  ['int64 of a small number', SMALL, [bson(Long.fromNumber(SMALL))]],
  ['double', BROKEN, [bson(new Double(BROKEN)), bson(new Double(BROKEN)).reverse()]],
  ['double of an integer', SMALL, [bson(new Double(SMALL))]],
  ['decimal128', BROKEN, [bson(Decimal128.fromString(String(BROKEN)))]],
  ['decimal128 of an integer', LARGE, [bson(Decimal128.fromString(String(LARGE)))]],
  ['number as base64', LARGE, shifted(bson(Long.fromNumber(LARGE)).subarray(7, 15)).map((bytes) => Buffer.from(bytes.toString('base64')))],
  ['number in decimal', BROKEN, [Buffer.from(JSON.stringify({ v: BROKEN })), Buffer.from(inspect({ v: BROKEN }))]],
  ['date', BORN, [bson(BORN), bson(new Double(BORN.getTime())), Buffer.from(JSON.stringify(BORN)), Buffer.from('1949-08-17')]],
  ['bytes', BYTES, [bson(BYTES), Buffer.from(inspect(Buffer.from(BYTES))), Buffer.from(JSON.stringify([...BYTES]))]],
  ['bytes as base64', BYTES, shifted(BYTES).map((bytes) => Buffer.from(bytes.toString('base64')))],
]

test.each(PLANTED)('%s is found in every channel', (name, value, written) => {
  const needles = needlesOf([{ name, value }])
  for (const channel of CHANNELS) {
    for (const bytes of written) {
      const witness = new Witness()
      // In the midst of other things.
      witness.bytes(channel, 'planted', Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]))
      expect([bytes.toString(), new Set(witness.findings(needles).map((finding) => finding.channel))]).toEqual([
        bytes.toString(),
        new Set([channel]),
      ])
    }
  }
})

test('where nothing is planted, nothing is found', () => {
  const witness = new Witness()
  witness.bytes(
    'sent',
    'noise',
    Uint8Array.from({ length: 100_000 }, (_, i) => (i * 40_503) >> 7),
  )
  witness.text('error message', 'an error', 'tenant_required: the filter must say which')
  expect(witness.findings(needlesOf(PLANTED.map(([name, value]) => ({ name, value }))))).toEqual([])
})

describe.skipIf(uri === undefined)('planted where it would come out', () => {
  const needles = needlesOf([{ name: 'planted', value: TEXT }])
  let proof: Proof
  beforeAll(async () => {
    proof = await openProof()
  })
  afterAll(() => proof.close())
  beforeEach(async () => {
    await proof.fresh()
    await proof.plain.deleteMany({})
    proof.listen()
  })

  const thrown = (where: string, error: unknown): void => proof.witness.error(where, error)
  const failing = async (call: () => Promise<unknown>): Promise<void> => {
    try {
      await call()
    } catch (error) {
      thrown('planted', error)
      return
    }
    throw new Error('was meant to fail')
  }
  /** What makes a value come out in a channel. Those of Mongoose's have a test of their own. */
  const LEAKS: Readonly<Record<Exclude<Channel, 'oplog' | 'printed by Mongoose' | 'told by Mongoose'>, () => Promise<unknown> | unknown>> =
    {
      sent: () => proof.plain.findOne({ v: TEXT }),
      command: () => proof.plain.findOne({ v: TEXT }),
      'driver log': () => proof.plain.findOne({ v: TEXT }),
      async received() {
        await proof.stored.insertOne({ _id: 'planted', plan: TEXT })
        await proof.users.findOne({ _id: 'planted' })
      },
      'sent by the stores': () => proof.keyDb.collection('planted').findOne({ v: TEXT }),
      'command of the stores': () => proof.keyDb.collection('planted').findOne({ v: TEXT }),
      async 'received by the stores'() {
        await proof.keyDb.collection('planted').insertOne({ v: TEXT })
        proof.keys.clear()
        await proof.keyDb.collection('planted').findOne()
      },
      'stored by the stores': () => proof.keyDb.collection('planted').insertOne({ v: TEXT }),
      'error message': () => thrown('planted', new Error(`no ${TEXT}`)),
      'error stack': () => thrown('planted', Object.assign(new Error('no'), { stack: `at ${TEXT}` })),
      'error cause': () => thrown('planted', new Error('no', { cause: new Error('no', { cause: { v: TEXT } }) })),
      'error as JSON': () => thrown('planted', Object.assign(new Error('no'), { toJSON: () => ({ v: TEXT }) })),
      'error inspected': () =>
        thrown('planted', Object.defineProperty(new Error('no'), 'hidden', { value: { v: [TEXT] }, enumerable: false })),
      async 'error of the server'() {
        await proof.plain.createIndex({ v: 1 }, { unique: true })
        await proof.plain.insertOne({ _id: 'a', v: TEXT })
        await failing(() => proof.plain.insertOne({ _id: 'b', v: TEXT }))
      },
      console() {
        console.log('said %s', TEXT)
      },
      async warning() {
        process.emitWarning(TEXT)
        await new Promise(setImmediate)
      },
      async explain() {
        await proof.plain.findOne({ v: TEXT })
        await proof.explain()
      },
      stored: () => proof.stored.insertOne({ _id: 'planted', plan: TEXT }),
    }

  test.each(Object.entries(LEAKS))('%s', async (channel, leak) => {
    await leak()
    await proof.gather('planted')
    expect(proof.witness.findings(needles).map((finding) => finding.channel)).toContain(channel)
    await proof.keyDb.collection('planted').drop()
  })

  test('oplog, where the server has one', async ({ skip }) => {
    await proof.plain.insertOne({ _id: 'a', v: TEXT })
    await proof.gather('planted')
    if (proof.witness.heard('oplog') === 0) skip('this server has no oplog')
    expect(proof.witness.findings(needles).map((finding) => finding.channel)).toContain('oplog')
  })

  test('errInfo of a refused validation', async () => {
    await proof.plain.insertOne({ _id: 'a', v: 'x' })
    await proof.plain.db.command({ collMod: 'plain', validator: { v: 'x' } })
    await failing(() => proof.plain.insertOne({ _id: 'b', v: TEXT }))
    expect(proof.witness.heard('error of the server')).toBeGreaterThan(0)
  })

  test.each(PLANTED)('%s is found on the line, both ways', async (name, value, written) => {
    const sought = needlesOf([{ name, value }])
    for (const [i, bytes] of written.entries()) {
      proof.listen()
      await proof.plain.insertOne({ _id: `${i}`, bytes: Buffer.from(bytes) })
      await proof.gather('sent')
      expect(proof.witness.findings(sought).map((finding) => finding.channel)).toContain('sent')
      proof.listen()
      await proof.plain.findOne({ _id: `${i}` })
      await proof.gather('received')
      expect(proof.witness.findings(sought).map((finding) => finding.channel)).toContain('received')
    }
  })
})
