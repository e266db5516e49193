/** What a contract suite is made of: named cases that any test runner can run, and the three checks that they use. */

import { isDeepStrictEqual } from 'node:util'

import { StrongroomError, type StrongroomErrorCode } from '../errors.ts'

/**
 * One case of a contract. It passes if `run` resolves.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { keyStoreContract, memoryKeyStore } from '@strongroom/core/testing'
 *
 * const open = async () => ({ store: memoryKeyStore(), close: async () => {} })
 * for (const { name, run } of keyStoreContract({ open })) test(name, run)
 * ```
 */
export interface ContractCase {
  readonly name: string
  run(): Promise<void>
}

/** Throws an error that says what should have been, unless the condition holds. */
export function check(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`contract broken: ${what}`)
}

/** Checks deep equality. A `Buffer` equals a `Uint8Array` of the same bytes, a field that is `undefined` equals none. */
export function checkSame(actual: unknown, expected: unknown, what: string): void {
  check(isDeepStrictEqual(plain(actual), plain(expected)), what)
}

/** Checks that a promise rejects with a {@link StrongroomError} of this code and, where given, names this argument. */
export async function expectCode(promise: Promise<unknown>, code: StrongroomErrorCode, argument?: string): Promise<void> {
  const wanted = argument === undefined ? code : `${code} naming ${argument}`
  let outcome: string
  try {
    await promise
    outcome = 'it resolved'
  } catch (error) {
    if (!(error instanceof StrongroomError)) {
      throw new Error(`contract broken: expected ${wanted}, but another error was thrown`, { cause: error })
    }
    if (error.code === code && (argument === undefined || error.argument === argument)) return
    outcome = `got ${error.code}${error.argument === undefined ? '' : ` naming ${error.argument}`}`
  }
  throw new Error(`contract broken: expected ${wanted}, but ${outcome}`)
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const defined = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(defined.map(([name, field]) => [name, plain(field)]))
}
