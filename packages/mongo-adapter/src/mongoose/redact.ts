/** Errors of Mongoose's that repeat what they are about: of encrypted paths they name the path, and not the value. */

import { inspect } from 'node:util'

import type { MongooseType } from './internals.ts'

export const REDACTED = '[redacted]'

/** What is known of the paths of a model. */
export interface Paths {
  /** Whether what is there is encrypted, or holds what is. */
  readonly holdsEncrypted: (path: string) => boolean
  readonly typeAt: (path: string) => MongooseType | undefined
}

type Writable = Error & Record<string, unknown>

/**
 * The error itself, without values; what is not of Mongoose stays as it is.
 *
 * @param at - where it happened, if that is known better than by the error: in a subdocument its path is that within it
 */
export function redactError(error: unknown, paths: Paths, at?: string): unknown {
  if (!(error instanceof Error)) return error
  const found = error as Writable
  concealDocuments(found)
  const path = at ?? found['path']
  // One that does not say where it happened may be about anything.
  const about = typeof path !== 'string' || paths.holdsEncrypted(path)
  switch (found.name) {
    case 'CastError':
      if (about) redactCast(found)
      break
    case 'ValidatorError':
      if (about) redactValidator(found, typeof path === 'string' ? paths.typeAt(path) : undefined)
      break
    case 'ObjectExpectedError':
      if (about) say(found, `Tried to set nested object field \`${String(path)}\` to a value that is no object`)
      break
    case 'ValidationError':
      redactAll(found, paths, at)
      break
    case 'DocumentNotFoundError':
      redactFilter(found, paths)
      break
    case 'MongooseBulkWriteError':
      for (const each of listOf(found['validationErrors'])) redactError(each, paths)
      break
    default:
      redactRepeated(found)
  }
  return found
}

/** The same for those that the result of a bulk write holds. */
export function redactErrorsOfResult(result: unknown, paths: Paths): void {
  const { mongoose } = (result ?? {}) as { readonly mongoose?: { readonly validationErrors?: unknown } }
  for (const each of listOf(mongoose?.validationErrors)) redactError(each, paths)
}

function redactCast(error: Writable): void {
  error['value'] = REDACTED
  error['stringValue'] = `"${REDACTED}"`
  error['reason'] = undefined
  // With these Mongoose says it again, when the model is known.
  error['messageFormat'] = undefined
  const type = String(error['valueType'])
  say(error, `Cast to ${String(error['kind'])} failed for value "${REDACTED}" (type ${type}) at path "${String(error['path'])}"`)
}

function redactValidator(error: Writable, type: MongooseType | undefined): void {
  const path = String(error['path'])
  const { validator } = (error['properties'] ?? {}) as { readonly validator?: unknown }
  const template = type?.validators.find((each) => each.validator === validator)?.message
  const kind = String(error['kind'])
  const message =
    typeof template === 'string'
      ? template
          .replaceAll('{PATH}', path)
          .replaceAll('{TYPE}', kind)
          .replaceAll(/\{(?:VALUE|LENGTH)\}/gu, REDACTED)
      : `Path \`${path}\` is not valid (${kind}); its value is not shown.`
  error['value'] = REDACTED
  error['reason'] = undefined
  error['properties'] = { path, message, type: kind, value: REDACTED }
  say(error, message)
}

function redactAll(error: Writable, paths: Paths, at: string | undefined): void {
  const errors = Object.entries((error['errors'] ?? {}) as Readonly<Record<string, Writable>>)
  for (const [path, each] of errors) redactError(each, paths, at === undefined ? path : `${at}.${path}`)
  if (errors.length === 0 || typeof error['_message'] !== 'string') return
  say(error, `${error['_message']}: ${errors.map(([path, { message }]) => `${path}: ${message}`).join(', ')}`)
}

// The documents that were given stay there for programs that ask for them, and out of what is printed of an error.
function concealDocuments(error: Writable): void {
  for (const name of ['documents', 'insertedDocs', 'results']) {
    const given = error[name]
    if (!Array.isArray(given)) continue
    const value = Object.defineProperty([...(given as unknown[])], inspect.custom, { value: () => REDACTED })
    Object.defineProperty(error, name, { value, enumerable: false, writable: true, configurable: true })
  }
}

function redactFilter(error: Writable, { holdsEncrypted }: Paths): void {
  if (!mentions(error['filter'], holdsEncrypted, '')) return
  error['filter'] = REDACTED
  error['query'] = REDACTED
  say(error, 'No document found for a query on an encrypted path')
}

function mentions(filter: unknown, holdsEncrypted: Paths['holdsEncrypted'], path: string): boolean {
  if (Array.isArray(filter)) return filter.some((each) => mentions(each, holdsEncrypted, path))
  if (typeof filter !== 'object' || filter === null) return false
  return Object.entries(filter).some(([name, inner]) => {
    const at = name.startsWith('$') ? path : path === '' ? name : `${path}.${name}`
    return (at !== '' && holdsEncrypted(at)) || mentions(inner, holdsEncrypted, at)
  })
}

// Errors that end with what was given, whole filters, updates and documents among it, and say no path.
const REPEATING = new RegExp(
  [
    'Query was already executed',
    'Query filter must be an object, got an array',
    'Invalid op passed to `bulkWrite\\(\\)`',
    'Parameter "[^"]*" to \\w+\\(\\) must be an object',
    'Mongoose maps do not support (?:keys that start with "\\$"|keys that contain "\\."|reserved key name)',
    'a circular reference in the update value',
    'Bad \\$within parameter',
  ].join('|'),
  'u',
)

function redactRepeated(error: Writable): void {
  const said = REPEATING.exec(error.message)
  if (said?.index === 0) say(error, `${said[0]}: ${REDACTED}`)
}

// The stack begins with the message that there was.
function say(error: Writable, message: string): void {
  error.message = message
  Error.captureStackTrace(error, say)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
