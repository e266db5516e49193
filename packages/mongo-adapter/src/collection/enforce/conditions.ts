/** What the database can be told to demand of encrypted paths, a condition for each: that what is stored there looks like an encrypted value. */

import { Binary, type Document } from 'mongodb'

import type { Layout } from '../layout.ts'

/** A condition that documents have to fulfil. */
export interface PathCondition {
  /** As declared. */
  readonly path: string
  readonly condition: Document
}

// Version byte, tag, nonce, type, tag of GCM (docs/format.md, "Encrypted value").
const LEAST_VALUE_BYTES = 1 + 16 + 24 + 1 + 16
// Version byte, tag, MAC (docs/format.md, "Blind index value").
const INDEX_VALUE_BYTES = 1 + 4 + 16

export function pathConditions({ sealed }: Layout): readonly PathCondition[] {
  return [...sealed.values()].map(({ path }) => {
    const steps = stepsOf(path)
    const condition = { $and: [{ $jsonSchema: shapeOf(steps) }, { $nor: ofAnotherVersion(steps) }, { $expr: lengthsOf(steps, '$$ROOT') }] }
    return { path, condition }
  })
}

/** Names of members, and `[]` for the elements of an array: `notes[].text` is `notes`, `[]`, `text`. */
type Steps = readonly string[]

function stepsOf(path: string): Steps {
  return path.split('.').flatMap((step) => {
    const name = step.replace(/(?:\[\])+$/u, '')
    return [name, ...Array.from({ length: (step.length - name.length) / 2 }, () => '[]')]
  })
}

const BINARY = { bsonType: 'binData' }
// Both stored forms, and null, which is stored as it is.
const VALUE = {
  anyOf: [
    { bsonType: ['binData', 'null'] },
    {
      bsonType: 'object',
      required: ['c'],
      properties: { c: BINARY, i: { anyOf: [BINARY, { bsonType: 'array', items: BINARY }] } },
      additionalProperties: false,
    },
  ],
}

/** Types, and where they stand. */
function shapeOf([step, ...rest]: Steps): Document {
  if (step === undefined) return VALUE
  const inner = shapeOf(rest)
  if (step !== '[]') return { bsonType: ['object', 'null'], properties: { [step]: inner } }
  return {
    anyOf: [
      { bsonType: 'null' },
      { bsonType: 'array', items: inner },
      // As an update of one position makes where nothing was.
      { bsonType: 'object', patternProperties: { '^[0-9]+$': inner }, additionalProperties: false },
    ],
  }
}

// A number has bits as well, but is refused by its type.
const OTHER_VERSION = {
  $type: 'binData',
  $not: { $bitsAllSet: new Binary(Uint8Array.of(0x01)), $bitsAllClear: new Binary(Uint8Array.of(0xfe)) },
}

/** Filters for documents in which the first byte of something is another than the version's. */
function ofAnotherVersion(steps: Steps): readonly Document[] {
  return [[], ['c'], ['i'], ['i', '[]']].map((within) => anyAt([...steps, ...within], OTHER_VERSION))
}

/** A filter for documents in which something at the end of the steps is so. */
function anyAt(steps: Steps, so: Document): Document {
  const at = steps.indexOf('[]')
  if (at < 0) return steps.length === 0 ? so : { [steps.join('.')]: so }
  const element = { $elemMatch: anyAt(steps.slice(at + 1), so) }
  return at === 0 ? element : { [steps.slice(0, at).join('.')]: element }
}

/** An expression that is true where all values and index values are as long as one can be. */
function lengthsOf([step, ...rest]: Steps, at: string, depth = 0): Document {
  if (step === undefined) return lengthsOfValue(at)
  if (step !== '[]') return lengthsOf(rest, `${at}.${step}`, depth)
  const element = `each${depth}`
  const inner = lengthsOf(rest, `$$${element}`, depth + 1)
  return allOf(at, element, inner)
}

function lengthsOfValue(at: string): Document {
  const fits = (path: string, operator: '$gte' | '$eq', bytes: number): Document => ({
    $cond: [{ $eq: [{ $type: path }, 'binData'] }, { [operator]: [{ $binarySize: path }, bytes] }, true],
  })
  return {
    $and: [
      fits(at, '$gte', LEAST_VALUE_BYTES),
      fits(`${at}.c`, '$gte', LEAST_VALUE_BYTES),
      fits(`${at}.i`, '$eq', INDEX_VALUE_BYTES),
      allOf(`${at}.i`, 'index', fits('$$index', '$eq', INDEX_VALUE_BYTES)),
    ],
  }
}

function allOf(list: string, as: string, inner: Document): Document {
  return { $allElementsTrue: [{ $map: { input: { $cond: [{ $isArray: [list] }, list, []] }, as, in: inner } }] }
}
