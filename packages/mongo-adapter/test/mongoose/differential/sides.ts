// The same models twice, plain and encrypted, and what is seen of the same calls on both.
import { StrongroomError } from '@strongroom/core'
import type { Document } from 'mongodb'
import type { Schema } from 'mongoose'
import { expect } from 'vitest'

import { witness } from '../heard.ts'
import { type AnyModel, modelOf, world, type World } from '../support.ts'
import { Seen } from './seen.ts'

/** Marks a path, in the schema of one side. */
export type Mark = (options?: object) => object

export interface Definition {
  readonly schema: Schema
  readonly subject?: string
  /** Discriminators, by their names. */
  readonly children?: Readonly<Record<string, Schema>>
}
export type Definitions = Readonly<Record<string, Definition>>

export type Models = Readonly<Record<string, AnyModel>>

export interface Side {
  readonly models: Models
  readonly seen: Seen
  /** What hooks were called, and with what. */
  readonly hooks: string[]
}

export interface Sides {
  readonly it: World
  readonly plain: Side
  readonly encrypted: Side
}

/** Times that models take: each is the next second of its side. */
export type Clock = () => Date

export async function openSides(define: (mark: Mark, clock: Clock) => Definitions): Promise<Sides> {
  const it = await world()
  const encrypted = await sideOf(
    it.connection,
    define((options = {}) => ({ encrypted: Object.keys(options).length === 0 ? true : options }), clock()),
    (each) => it.encrypt(each.schema, { subject: each.subject ?? '_id' }),
  )
  const plain = await sideOf(
    await it.plain(),
    define(() => ({}), clock()),
    (each) => each.schema,
  )
  return { it, plain, encrypted }
}

function clock(): Clock {
  let now = Date.UTC(2030, 0, 1)
  return () => new Date((now += 1000))
}

async function sideOf(
  connection: World['connection'],
  definitions: Definitions,
  prepare: (definition: Definition) => Schema,
): Promise<Side> {
  const hooks: string[] = []
  const seen = new Seen()
  const models: Record<string, AnyModel> = {}
  for (const [name, definition] of Object.entries(definitions)) {
    tell(definition.schema, name, (told) => hooks.push(told), seen)
    models[name] = modelOf(connection, name, prepare(definition))
    for (const [child, schema] of Object.entries(definition.children ?? {})) {
      tell(schema, child, (told) => hooks.push(told), seen)
      models[child] = models[name].discriminator(child, schema) as unknown as AnyModel
    }
  }
  await Promise.all(Object.values(models).map((model) => model.init()))
  return { models, seen, hooks }
}

const OF_DOCUMENTS = ['validate', 'save', 'deleteOne', 'updateOne']
const OF_QUERIES = [
  'find findOne findOneAndUpdate findOneAndReplace findOneAndDelete updateOne updateMany replaceOne deleteOne deleteMany',
  'countDocuments estimatedDocumentCount distinct',
].flatMap((line) => line.split(' '))
const OF_MODELS = ['insertMany', 'bulkWrite', 'aggregate']

interface Queried {
  getQuery(): unknown
  getUpdate(): unknown
  getOptions(): { readonly sort?: unknown }
}

function tell(schema: Schema, name: string, say: (told: string) => void, seen: Seen): void {
  const hook = (
    when: 'pre' | 'post',
    event: string,
    options: object | undefined,
    told: (this: unknown, ...given: unknown[]) => unknown,
  ): void => {
    const listen = schema[when] as (this: Schema, ...given: unknown[]) => unknown
    // Mongoose counts the parameters.
    const listener = function (this: unknown, given: unknown): void {
      say(`${when} ${event} of ${name}: ${seen.of(told.call(this, given))}`)
    }
    listen.apply(schema, options === undefined ? [event, listener] : [event, options, listener])
  }
  const ofQuery = function (this: unknown): unknown {
    const query = this as Queried
    return [query.getQuery(), query.getUpdate(), Object.keys(query.getOptions())]
  }
  for (const event of OF_DOCUMENTS) {
    hook('pre', event, { document: true, query: false }, function () {
      return this
    })
    hook('post', event, { document: true, query: false }, (given) => given)
  }
  hook('post', 'init', undefined, (given) => given)
  for (const event of OF_QUERIES) {
    hook('pre', event, { document: false, query: true }, ofQuery)
    hook('post', event, { document: false, query: true }, function (given) {
      // In whatever order the server found them.
      const unordered = Array.isArray(given) && (this as Queried).getOptions().sort === undefined
      return unordered ? given.map((each) => seen.of(each)).sort() : given
    })
  }
  for (const event of OF_MODELS) hook('post', event, undefined, (given) => given)
}

/** What a call of an encrypted model is refused with, or what is seen of its answer. */
export interface Answer {
  readonly refused?: string
  readonly text: string
}

export async function answerOf(side: Side, call: (models: Models) => unknown): Promise<Answer> {
  side.hooks.length = 0
  try {
    const result = await call(side.models)
    return { text: side.seen.of(result) }
  } catch (error) {
    if (!(error instanceof StrongroomError)) return { text: side.seen.error(error) }
    return { refused: error.code, text: `${error.code}: ${error.message}` }
  }
}

/** The same, whose errors are searched. */
export async function encryptedAnswer(side: Side, call: (models: Models) => unknown): Promise<Answer> {
  return answerOf(side, async (models) => {
    try {
      return await call(models)
    } catch (error) {
      witness.error('an encrypted model', error)
      throw error
    }
  })
}

/** All that is stored, as it is read. */
export async function contents(side: Side): Promise<string> {
  const all: Record<string, unknown> = {}
  for (const [name, model] of Object.entries(side.models))
    if ((model as { readonly baseModelName?: string }).baseModelName === undefined)
      all[name] = (await model.find().sort('_id').lean()) as readonly Document[]
  return side.seen.of(all)
}

/** Both sides say the same of a call, their hooks were told the same, and the same is stored. */
export async function expectSame(
  { plain, encrypted }: Sides,
  call: (models: Models) => unknown,
  /** Mongoose asks for several things at once. */
  { atOnce = false }: { readonly atOnce?: boolean } = {},
): Promise<void> {
  const told = ({ hooks }: Side): string => (atOnce ? hooks.toSorted() : hooks).join('\n')
  const answer = await encryptedAnswer(encrypted, call)
  const ours = told(encrypted)
  const expected = await answerOf(plain, call)
  expectText(answer.text, expected.text)
  expectText(ours, told(plain))
  expectText(await contents(encrypted), await contents(plain))
}

/** Shows where two texts begin to differ: they are long. */
export function expectText(text: string, expected: string): void {
  if (text === expected) return
  const [lines, others] = [text.split('\n'), expected.split('\n')]
  const at = lines.findIndex((line, i) => line !== others[i])
  const around = (all: readonly string[]): string => all.slice(Math.max(0, at - 8), at + 8).join('\n')
  expect.fail(`${around(lines)}\ninstead of\n${around(others)}`)
}

/** Both sides as they were when they were opened, with these documents. Of documents that were deleted, indexes of a test server remember some. */
export async function begin({ plain, encrypted }: Sides, documents: Readonly<Record<string, readonly object[]>>): Promise<void> {
  for (const { models } of [plain, encrypted])
    for (const [name, all] of Object.entries(documents)) {
      const model = models[name] as AnyModel
      await model.db.db?.dropCollection(model.collection.collectionName)
      await model.createIndexes()
      await model.create(all as never)
    }
}
