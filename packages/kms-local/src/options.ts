/** What the two entry points are given, and the guards that read it before anything else happens. */

import { resolve } from 'node:path'

import { invalidArgument, Secret, StrongroomError } from '@strongroom/core'

import { ARGON2_CEILING, ARGON2_FLOOR, type Argon2Parameters, withinBounds } from './argon2id.ts'
import { utf8 } from './bytes.ts'
import { KEY_BYTES } from './header.ts'
import { isRegion, isWhole } from './limits.ts'
import type { Protector } from './protector.ts'

/** Where the file is, and what opens it: either a passphrase or a raw key. */
export type LocalKeyFile = {
  /** Path of the file. Its folder must be its owner's alone. */
  readonly file: string
} & (
  | {
      /** Not empty. Its bytes count as they are: UTF-8 for a string, no Unicode normalisation, no trimming. */
      readonly passphrase: string | Uint8Array | Secret<string>
      readonly rawKey?: undefined
    }
  | {
      /** 32 bytes from a random generator. Copied at once. */
      readonly rawKey: Uint8Array
      readonly passphrase?: undefined
    }
)

export type CreateLocalKeyFileOptions = LocalKeyFile & {
  /** The region that these root keys serve; written in the file for good. */
  readonly region?: string | undefined
  /** What a guess at the passphrase costs. Default and least: 64 MiB and 3 passes. With a raw key: `invalid_argument`. */
  readonly argon2?: Argon2Parameters | undefined
}

export type LocalKeyProviderOptions = LocalKeyFile & {
  /** If given, the file must have been made for this region. */
  readonly region?: string | undefined
  /**
   * Needed by `destroyVersion` only: its owner's word on how long, in milliseconds, copies of the file made before the destruction
   * live on: backups, snapshots, images. Where too little was said, `destroyVersion` again with more puts it right; less changes nothing.
   */
  readonly copiesLife?: number | undefined
}

const CENTURY_MS = 100 * 366 * 86_400_000

/** The path, made absolute: the working directory may change later. */
export function readFile(options: unknown): string {
  return property(options, 'file', (value) => {
    if (typeof value === 'string' && value.length > 0 && value.isWellFormed() && !value.includes('\0')) return resolve(value)
    throw invalidArgument('file', 'must be the path of the root key file')
  })
}

export function readRegion(options: unknown): string | undefined {
  return property(options, 'region', (value) => {
    if (value === undefined || isRegion(value)) return value
    throw invalidArgument('region', 'must be a name of 1 to 64 letters, digits, - and _')
  })
}

export function readCopiesLife(options: unknown): number | undefined {
  return property(options, 'copiesLife', (value) => {
    if (value === undefined || isWhole(value, 0, CENTURY_MS)) return value
    throw invalidArgument('copiesLife', 'must be a whole number of milliseconds, at most a century')
  })
}

export function readArgon2(options: unknown): Argon2Parameters | undefined {
  return property(options, 'argon2', (value) => {
    if (value === undefined) return undefined
    if (typeof value !== 'object' || value === null) throw invalidArgument('argon2', 'must be { memory, passes }')
    const memory = property(value, 'memory', integer('argon2.memory'))
    const passes = property(value, 'passes', integer('argon2.passes'))
    if (withinBounds({ memory, passes })) return { memory, passes }
    throw invalidArgument(
      'argon2',
      `must be ${ARGON2_FLOOR.memory} to ${ARGON2_CEILING.memory} KiB of memory and ${ARGON2_FLOOR.passes} to ${ARGON2_CEILING.passes} passes`,
    )
  })
}

/** The passphrase or the raw key, as our own copy. Read it last: it is wiped by whoever derives the key, not by a guard that throws. */
export function readProtector(options: unknown): Protector {
  const rawKey = property(options, 'rawKey', (value) => (value === undefined ? undefined : rawKeyBytes(value)))
  const passphrase = property(options, 'passphrase', (value) => (value === undefined ? undefined : passphraseBytes(value)))
  if (rawKey !== undefined && passphrase !== undefined) throw invalidArgument('rawKey', 'and passphrase exclude each other')
  if (rawKey !== undefined) return { kind: 'raw-key', bytes: rawKey }
  if (passphrase !== undefined) return { kind: 'argon2id', bytes: passphrase }
  throw invalidArgument('passphrase', 'or rawKey must be given')
}

function rawKeyBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === KEY_BYTES) return Uint8Array.from(value)
  throw invalidArgument('rawKey', `must be a Uint8Array of ${KEY_BYTES} bytes`)
}

function passphraseBytes(value: unknown): Uint8Array {
  const text: unknown = value instanceof Secret ? value.reveal() : value
  if (typeof text === 'string' && text.length > 0) {
    if (!text.isWellFormed()) throw invalidArgument('passphrase', 'must not hold lone surrogates')
    return utf8(text)
  }
  if (value instanceof Uint8Array && value.length > 0) return Uint8Array.from(value)
  throw invalidArgument('passphrase', 'must be a non-empty string, Uint8Array or Secret of a string')
}

function integer(argument: string): (value: unknown) => number {
  return (value) => {
    if (isWhole(value, 0, Number.MAX_SAFE_INTEGER)) return value
    throw invalidArgument(argument, 'must be a whole number')
  }
}

/** Refuses an option that there is not: misspelt, it would silently do nothing. */
export function requireKnown(options: unknown, known: readonly string[]): void {
  const unknown = property({ options }, 'options', (given) =>
    typeof given === 'object' && given !== null
      ? Reflect.ownKeys(given).some((key) => !(known as readonly unknown[]).includes(key))
      : false,
  )
  if (unknown) throw invalidArgument('options', `must hold no other options than ${known.join(', ')}; there is one of another name`)
}

/**
 * Reads one property, once. Whatever reading it throws (a getter, a proxy, a missing object) becomes `invalid_argument`, without
 * its cause, which may hold anything.
 */
export function property<T>(holder: unknown, name: string, read: (value: unknown) => T): T {
  try {
    return read((holder as Readonly<Record<string, unknown>>)[name])
  } catch (error) {
    throw error instanceof StrongroomError ? error : invalidArgument(name, 'cannot be read')
  }
}
