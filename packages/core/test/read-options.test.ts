// Options that there are not are named, unless what stands for a name may be something else.
import { readOptions, shownName, StrongroomError } from '@strongroom/core'
import { expect, test } from 'vitest'

const UNSHOWN = 'a name that is not shown here'

function refusal(options: object): StrongroomError {
  try {
    readOptions(options as { readonly directory?: string }, ['directory'])
  } catch (error) {
    if (error instanceof StrongroomError) return error
  }
  throw new Error('was not refused')
}

test('the option that there is not, and those that there are', () => {
  const { code, argument, message } = refusal({ directory: 'x', dirctory: 'Canary' })
  expect([code, argument, message]).toEqual(['invalid_argument', 'options', 'options must not hold dirctory; there are directory'])
})

test.each(['ada@example.com', 'Ada Lovelace', '+44 20 7946 0001', '1234', '', 'a\nb', 'é', 'x'.repeat(65)])('%j is not shown', (name) => {
  expect(shownName(name)).toBe(UNSHOWN)
  expect(refusal({ [name]: 1 }).message).toBe(`options must not hold ${UNSHOWN}; there are directory`)
})

test('what is no string at all', () => {
  expect(refusal({ [Symbol('Canary')]: 1 }).message).not.toContain('Canary')
  for (const name of [undefined, null, 5, {}, ['a'], Symbol('Canary')]) expect(shownName(name)).toBe(UNSHOWN)
})

test.each(['upsert', '$set', '_id', 'notes.0.text', 'notes.$[n].text', 'notes.$[]', 'x'.repeat(64)])('%j is shown', (name) => {
  expect(shownName(name)).toBe(name)
})
