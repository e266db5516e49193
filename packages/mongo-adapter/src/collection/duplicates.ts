/** Errors of the server, without what they repeat of the stored values. */

import { MongoBulkWriteError, MongoServerError } from 'mongodb'

import { declaredPath } from './indexes/index-keys.ts'
import type { Layout } from './layout.ts'

const DUPLICATE = 11_000
const FAILED_VALIDATION = 121

/** The error itself; one of duplicates in an encrypted path names the declared paths of the index, and no value. */
export function withoutValues(layout: Layout, error: unknown): unknown {
  if (!(error instanceof MongoServerError)) return error
  if (error instanceof MongoBulkWriteError) {
    const failed = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
    for (const each of failed) {
      const raw = each.err as unknown as Record<string, unknown>
      // The document as it would have been stored.
      delete raw['op']
      if (each.code === FAILED_VALIDATION) forgetConsidered(raw)
      if (each.code !== DUPLICATE) continue
      const pattern = declaredPattern(layout, raw['keyPattern'] ?? raw['errmsg'])
      if (pattern === undefined) continue
      raw['errmsg'] = messageFor(pattern)
      raw['keyPattern'] = pattern
      delete raw['keyValue']
    }
  }
  if (error.code === FAILED_VALIDATION) for (const of of [error['errInfo'], error.errorResponse]) forgetConsidered(of)
  if (error.code !== DUPLICATE) return error
  const pattern = declaredPattern(layout, error['keyPattern'] ?? error.message)
  if (pattern === undefined) return error
  error.message = messageFor(pattern)
  error.stack = `${error.name}: ${error.message}`
  error['keyPattern'] = pattern
  delete error['keyValue']
  // A sharded cluster's account of what each shard has said.
  delete error['raw']
  Object.defineProperty(error, 'errorResponse', {
    value: { message: error.message, code: DUPLICATE, keyPattern: pattern },
    enumerable: true,
  })
  return error
}

// Of a document that fails validation the server quotes what it has compared with the rules: all that is plain in it, and what is stored.
function forgetConsidered(info: unknown): void {
  if (typeof info !== 'object' || info === null) return
  const members = info as Record<string, unknown>
  for (const name of ['consideredValue', 'consideredValues']) delete members[name]
  for (const inner of Object.values(members)) forgetConsidered(inner)
}

function messageFor(pattern: Readonly<Record<string, unknown>>): string {
  return `E11000 duplicate key error: another document has the same ${Object.keys(pattern).join(', ')}`
}

/** The key of the index in declared paths; `undefined` where nothing in it is encrypted. */
function declaredPattern(layout: Layout, pattern: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof pattern === 'string') return quotedPattern(layout, pattern)
  const stored = (pattern ?? {}) as Readonly<Record<string, unknown>>
  const declared = Object.entries(stored).map(([path, direction]) => [declaredPath(layout, path), direction] as const)
  return declared.some(([path]) => !Object.hasOwn(stored, path)) ? Object.fromEntries(declared) : undefined
}

// A server that gives no pattern quotes the key in its message, in one form or another; what is plain in it is not told from values.
function quotedPattern(layout: Layout, message: string): Readonly<Record<string, unknown>> | undefined {
  const stored = [...message.matchAll(/([^\s{}():"]+\.i)"?:\s/gu)].map(([, path]) => path as string)
  const encrypted = stored.map((path) => [declaredPath(layout, path), path] as const).filter(([path, quoted]) => path !== quoted)
  return encrypted.length === 0 ? undefined : Object.fromEntries(encrypted.map(([path]) => [path, 1]))
}
