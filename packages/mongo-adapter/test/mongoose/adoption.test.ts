// What docs/mongoose.md shows of a model that there is: its five changed lines, taken from the page and run.
import { readFileSync } from 'node:fs'
import { encryptedFields } from '@strongroom/mongo-adapter/mongoose'
import { BSON } from 'mongodb'
import { type Connection, Schema } from 'mongoose'
import { beforeAll, describe, expect, test } from 'vitest'

import { type AnyModel, modelOf, uri, world, type World } from './support.ts'

const page = readFileSync(new URL('../../docs/mongoose.md', import.meta.url), 'utf8')
const fenced = (language: string): string => new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 'su').exec(page)?.[1] as string
const lines = fenced('diff').split('\n')
/** The module before, by `-`, and after, by `+`. */
const side = (sign: '-' | '+'): string =>
  lines
    .filter((line) => line === '' || line.startsWith(' ') || line.startsWith(sign))
    .map((line) => line.slice(1))
    .join('\n')

const ada = {
  _id: 'ada',
  orgId: 'acme',
  email: 'canary-ada@example.com',
  notes: [
    { title: 'first', text: 'canary one' },
    { title: 'second', text: 'canary two' },
  ],
}

describe.skipIf(uri === undefined)('a model that there is', () => {
  let it: World
  beforeAll(async () => {
    it = await world()
  })

  /** The model that a module exports, on a connection. Its imports are what they say. */
  function modelOfModule(code: string, connection: Connection, collection: string): AnyModel {
    const imports: Readonly<Record<string, unknown>> = { Schema, encryptedFields, vault: it.vault }
    const named = [...code.matchAll(/^import \{ (.*) \} from '.*'$/gmu)].flatMap(([, names]) => (names as string).split(', '))
    expect(named.filter((name) => name !== 'model' && !Object.hasOwn(imports, name))).toEqual([])
    const body = code.replaceAll(/^import .*$/gmu, '').replace('export const User =', 'return')
    const given = Object.fromEntries(Object.entries(imports).filter(([name]) => named.includes(name)))
    // oxlint-disable-next-line no-implied-eval -- the page's own code, as it stands there
    const run = new Function('model', ...Object.keys(given), body) as (...args: unknown[]) => AnyModel
    const model = (_: string, schema: Schema): AnyModel => {
      schema.set('collection', collection)
      return modelOf(connection, collection, schema)
    }
    return run(model, ...Object.values(given))
  }

  /** All that is stored of a collection. */
  async function bytes(collection: string): Promise<string> {
    return (await it.stored(collection)).map((document) => Buffer.from(BSON.serialize(document)).toString('latin1')).join('\n')
  }

  /** What an application does with the model. */
  async function use(model: AnyModel): Promise<unknown> {
    await model.init()
    await model.create(ada)
    const duplicate = await model.create({ ...ada, _id: 'other' }).catch((error: unknown) => error as { code?: unknown })
    const found = (await model.findOne({ email: ada.email })) as unknown as Record<string, unknown> & {
      notes: { text: string }[]
      save(): Promise<unknown>
    }
    ;(found.notes[1] as { text: string }).text = 'canary three'
    await found.save()
    await model.updateOne({ _id: 'ada' }, { $push: { notes: { title: 'third', text: 'canary four' } } })
    const tooLong = await model.create({ ...ada, _id: 'long', notes: [{ text: 'x'.repeat(101) }] }).catch((error: Error) => error.name)
    const all = (await model.find({ orgId: 'acme' }).select('-createdAt -updatedAt -notes._id').lean()) as unknown
    return { duplicate: (duplicate as { code?: unknown }).code, tooLong, all }
  }

  test('changes in five lines, and does the same', async () => {
    expect(lines.filter((line) => line.startsWith('+'))).toHaveLength(5)
    const before = modelOfModule(side('-'), await it.connect(), 'before')
    const after = modelOfModule(side('+'), await it.connect(), 'after')

    const expected = await use(before)
    expect(expected).toMatchObject({ duplicate: 11000, tooLong: 'ValidationError', all: [{ email: ada.email, plan: 'free' }] })
    expect(await use(after)).toEqual(expected)
    expect(await bytes('before')).toContain('canary')
    expect(await bytes('after')).not.toContain('canary')
    expect(await bytes('after')).toContain('third')
  })
})
