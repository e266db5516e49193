/** Errors of the server, without what they repeat of the stored values. */

import { MongoBulkWriteError, MongoServerError } from 'mongodb'

import { type Layout, placeOf } from './layout.ts'

const DUPLICATE = 11_000

/** The error itself; one of duplicates in an encrypted path names the declared path, and no value. */
export function withoutValues(layout: Layout, error: unknown): unknown {
  if (!(error instanceof MongoServerError)) return error
  if (error instanceof MongoBulkWriteError) {
    const failed = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
    for (const each of failed) {
      if (each.code !== DUPLICATE) continue
      const raw = each.err as unknown as Record<string, unknown>
      const path = sealedPath(layout, raw['keyPattern'] ?? raw['errmsg'])
      if (path !== undefined) raw['errmsg'] = messageFor(path)
      delete raw['op']
    }
  }
  if (error.code !== DUPLICATE) return error
  const path = sealedPath(layout, error['keyPattern'] ?? error.message)
  if (path === undefined) return error
  error.message = messageFor(path)
  error.stack = `${error.name}: ${error.message}`
  error['keyPattern'] = { [path]: 1 }
  delete error['keyValue']
  Object.defineProperty(error, 'errorResponse', {
    value: { message: error.message, code: DUPLICATE, keyPattern: { [path]: 1 } },
    enumerable: true,
  })
  return error
}

function messageFor(path: string): string {
  return `E11000 duplicate key error: another document has the same ${path}`
}

// By the pattern where the server gives it, else by the name of the index, which is ours.
function sealedPath(layout: Layout, pattern: unknown): string | undefined {
  const keys =
    typeof pattern === 'string'
      ? [...pattern.matchAll(/([^\s{}:]+)\.i(?=[_:\s])/gu)].map(([, path]) => `${path}.i`)
      : Object.keys(pattern ?? {})
  for (const key of keys) {
    if (!key.endsWith('.i')) continue
    const path = key.slice(0, -2)
    if (placeOf(layout, path).kind === 'sealed') return path
  }
  return undefined
}
