// People with everything that a path can be, and values that are encrypted in one of two models.
import { Schema } from 'mongoose'

import { CANARY, canary } from '../heard.ts'
import { chosen } from './seen.ts'
import type { Clock, Definition, Definitions, Mark } from './sides.ts'

export const BORN = canary('born', new Date('1915-12-10T03:04:05.678Z'))
export const SALARY = canary('salary', 83_746_502_917_463)

export function personOf(mark: Mark, clock: Clock, options: object = {}): Definition {
  const text = { type: String, ...mark() }
  const address = new Schema({ city: String, street: text, floors: [{ type: Number, ...mark() }] }, { _id: false })
  const note = new Schema({ title: String, text, marks: [text], inner: { deep: text, open: Number } })
  note.virtual('loud').get(function (this: { readonly text?: string }) {
    return this.text?.toUpperCase()
  })
  const schema = new Schema(
    {
      _id: String,
      orgId: { type: String, required: true },
      plan: { type: String, default: 'free', enum: ['free', 'pro', 'team'] },
      score: { type: Number, default: 0 },
      friend: { type: String, ref: 'Person' },
      name: { type: String, minlength: 3, ...mark() },
      nick: { type: String, default: () => `nick ${CANARY}`, ...mark() },
      email: { type: String, lowercase: true, trim: true, unique: true, ...mark({ index: { scope: 'application' } }) },
      age: { type: Number, max: 200, ...mark({ index: { scope: 'tenant' } }) },
      salary: { type: Number, ...mark() },
      born: { type: Date, ...mark() },
      active: { type: Boolean, ...mark() },
      bytes: { type: Buffer, ...mark() },
      price: { type: Schema.Types.Decimal128, ...mark() },
      large: { type: BigInt, ...mark() },
      key: { type: Schema.Types.ObjectId, ...mark() },
      code: { type: Schema.Types.UUID, ...mark() },
      whisper: { type: String, get: (value?: string) => value?.toLowerCase(), set: (value?: string) => value?.trim(), ...mark() },
      hidden: { type: String, select: false, ...mark() },
      frozen: { type: String, immutable: true, ...mark() },
      alias: { type: String, alias: 'also', ...mark() },
      nested: { deep: { secret: text, open: String }, list: [text], count: { type: Number, ...mark() } },
      address,
      notes: [note],
      tags: [text],
      codes: [{ type: String, ...mark({ index: { scope: 'application' } }) }],
      open: [String],
      rows: [[{ type: Number, ...mark() }]],
      whole: { type: [String], default: undefined, ...mark() },
      box: { type: new Schema({ size: Number, label: String }, { _id: false }), ...mark() },
      facts: { type: Map, of: String, ...mark() },
      plainFacts: { type: Map, of: String },
      anything: { type: Schema.Types.Mixed, ...mark() },
      loose: Schema.Types.Mixed,
    },
    { timestamps: { currentTime: clock }, toJSON: { virtuals: true, getters: true }, ...options },
  )
  schema.virtual('shout').get(function (this: { readonly name?: string }) {
    return this.name?.toUpperCase()
  })
  schema.virtual('first').set(function (this: { name: string }, value: string) {
    this.name = `${value} ${CANARY}`
  })
  return { schema }
}

export function people(mark: Mark, clock: Clock): Definitions {
  return {
    Person: personOf(mark, clock),
    Careful: personOf(mark, clock, { optimisticConcurrency: true, minimize: false }),
    Strict: personOf(mark, clock, { strict: 'throw', versionKey: 'edition' }),
    Loose: personOf(mark, clock, { strict: false, versionKey: false }),
  }
}

export const ada = {
  _id: 'ada',
  orgId: 'acme',
  email: ` Ada-${CANARY}@Example.com`,
  name: `Ada ${CANARY}`,
  age: 36,
  salary: SALARY,
  born: BORN,
  active: true,
  bytes: Buffer.from(CANARY),
  price: '83.7465029174650291',
  large: 8_374_650_291_746_502_917n,
  key: chosen(1),
  code: '0b0e5d3a-7f2c-4d5e-8a9b-0c1d2e3f4a5b',
  whisper: `  Whisper ${CANARY} `,
  hidden: `hidden ${CANARY}`,
  frozen: `frozen ${CANARY}`,
  alias: `alias ${CANARY}`,
  nested: { deep: { secret: `deep ${CANARY}`, open: 'seen' }, list: [`a ${CANARY}`], count: 7 },
  address: { city: 'London', street: `Street ${CANARY}`, floors: [1, 2] },
  notes: [
    { _id: chosen(11), title: 'first', text: `note ${CANARY}`, marks: [`m ${CANARY}`], inner: { deep: `in ${CANARY}`, open: 1 } },
    { _id: chosen(12), title: 'second', text: `more ${CANARY}` },
    { _id: chosen(13), title: 'third', text: `last ${CANARY}` },
  ],
  tags: [`one ${CANARY}`, `two ${CANARY}`, `three ${CANARY}`],
  codes: [`c1 ${CANARY}`, `c2 ${CANARY}`],
  open: ['x', 'y', 'z'],
  rows: [[1, 2], [3]],
  whole: [`all ${CANARY}`],
  box: { size: 3, label: `label ${CANARY}` },
  facts: { colour: `red ${CANARY}` },
  plainFacts: { colour: 'blue' },
  anything: { may: [`be ${CANARY}`], deep: { a: 1 } },
  loose: { free: [1, { b: 2 }] },
}
export const bob = {
  _id: 'bob',
  orgId: 'acme',
  email: `bob-${CANARY}@example.com`,
  name: `Bob ${CANARY}`,
  age: 40,
  friend: 'ada',
  plan: 'pro',
}
export const eve = { _id: 'eve', orgId: 'acme', email: `eve-${CANARY}@example.com`, name: `Eve ${CANARY}`, age: 36, score: 5 }
export const ALL = [ada, bob, eve]
