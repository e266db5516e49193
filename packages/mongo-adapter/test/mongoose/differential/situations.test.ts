// Named situations of Mongoose's own kind, each on people as they are at the beginning: no difference between plain and encrypted models.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { expectSilence, forget, uri } from '../support.ts'
import { DOCUMENTS, REFUSED_DOCUMENTS } from './documents.ts'
import { LIBRARY, library } from './library.ts'
import { INVALID_QUERIES, QUERIES, REFUSED_QUERIES } from './queries.ts'
import { ada, ALL, people } from './people.ts'
import { DISCRIMINATED, POPULATED, REFUSED_REFERENCES } from './references.ts'
import { begin, encryptedAnswer, expectSame, openSides, type Sides } from './sides.ts'

describe.skipIf(uri === undefined)('people', () => {
  let sides: Sides
  beforeAll(async () => {
    sides = await openSides(people)
  })
  beforeAll(async () => {
    for (const name of ['Careful', 'Strict', 'Loose']) await begin(sides, { [name]: [ada] })
  })
  beforeEach(async () => {
    await begin(sides, { Person: ALL })
    forget()
  })
  afterEach(() => expectSilence())

  test.each(Object.entries({ ...DOCUMENTS, ...QUERIES }))('%s', (_, situation) => expectSame(sides, situation))

  test.each(Object.entries({ ...REFUSED_DOCUMENTS, ...REFUSED_QUERIES }))('refuse %s', async (_, situation) => {
    expect(await encryptedAnswer(sides.encrypted, situation)).toMatchObject({ refused: 'unsupported_operation' })
  })

  test.each(Object.entries(INVALID_QUERIES))('refuse %s', async (_, situation) => {
    expect(await encryptedAnswer(sides.encrypted, situation)).toMatchObject({ refused: 'invalid_argument' })
  })
})

describe.skipIf(uri === undefined)('a library', () => {
  let sides: Sides
  beforeAll(async () => {
    sides = await openSides(library)
  })
  beforeEach(async () => {
    await begin(sides, LIBRARY)
    forget()
  })
  afterEach(() => expectSilence())

  test.each(Object.entries(POPULATED))('populates %s', (_, situation) => expectSame(sides, situation, { atOnce: true }))

  test.each(Object.entries(DISCRIMINATED))('discriminates: %s', (_, situation) => expectSame(sides, situation))

  test.each(Object.entries(REFUSED_REFERENCES))('refuses %s', async (_, situation) => {
    expect(await encryptedAnswer(sides.encrypted, situation)).toMatchObject({ refused: 'unsupported_operation' })
  })
})
