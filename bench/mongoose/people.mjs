// The documents: six strings that are encrypted, of the same lengths as in bench/mongo.
import { text } from '../fields.mjs'

export const TENANT = 'acme'
const SIZES = { name: 16, street: 24, city: 32, phone: 48, note: 64 }
/** The encrypted paths; the first has an index. */
export const NAMES = ['email', ...Object.keys(SIZES)]

/** Names of so many people. */
export function people(count, prefix = 'user') {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
}

/** New documents of so many people in turn, the first of whom has the number `from`. */
export function documents(count, subjects, from = 0, prefix = 'user') {
  return Array.from({ length: count }, (_, i) => ({
    orgId: TENANT,
    userId: `${prefix}-${(from + i) % subjects}`,
    plan: 'pro',
    email: `${text(36).replaceAll(/[^a-z]/gi, 'a')}@example.com`,
    ...Object.fromEntries(Object.entries(SIZES).map(([name, size]) => [name, text(size)])),
  }))
}

/** What a schema of Mongoose's is made of. @param marks - options of paths, by name */
export function definition(marks = {}) {
  const plain = { orgId: String, userId: String, plan: String }
  return { ...plain, ...Object.fromEntries(NAMES.map((name) => [name, { type: String, index: name === 'email', ...marks[name] }])) }
}
