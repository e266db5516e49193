/** Bringing in what a service holds in the clear today. */

import { invalidArgument, readOptions, StrongroomError, type Subject } from '@strongroom/core'

import type { ConnectionHandle } from './connection/connection.ts'
import type { Material } from './kinds/kinds.ts'

/** One credential that lies somewhere in the clear. */
export interface PlaintextCredential {
  readonly owner: Subject
  /** What the connection is to be called. */
  readonly name: string
  /** The connection's own name unless given. */
  readonly provider?: string
  /** As `save` takes it. */
  readonly material: Material
  /** When the access token ends, where that is known by its instant. UTC milliseconds. */
  readonly expiresAt?: number
  readonly account?: string
  readonly scopes?: readonly string[]
}

/** Options of `importPlaintext`. */
export interface ImportOptions {
  /** Checks everything, and makes and stores nothing. */
  readonly dryRun?: boolean
  /** Ends it between two. */
  readonly signal?: AbortSignal
}

/**
 * What became of one, by its place among them, from 0.
 *
 * - `imported`: it is stored; in a dry run: it would be.
 * - `exists`: there is such a connection already, and it is as it was: what is there may be newer.
 * - `refused`: it is no credential of its kind; `code`, and what is wrong with it, in words that hold no value.
 */
export type ImportResult =
  | { readonly index: number; readonly outcome: 'imported' | 'exists' }
  | { readonly index: number; readonly outcome: 'refused'; readonly code: string; readonly message: string }

const NAMES = ['owner', 'name', 'provider', 'material', 'expiresAt', 'account', 'scopes'] as const

/** @throws StrongroomError `invalid_argument` for the options, and what stores and keys throw: repeated, it goes on, since what is there stays */
export async function* importPlaintext(
  rows: Iterable<PlaintextCredential> | AsyncIterable<PlaintextCredential>,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal | undefined },
  connectionOf: (row: Pick<PlaintextCredential, 'owner' | 'name' | 'provider'>) => ConnectionHandle,
): AsyncGenerator<ImportResult> {
  let index = -1
  for await (const row of rows) {
    index++
    signal?.throwIfAborted()
    try {
      const { owner, name, provider, material, expiresAt, account, scopes } = readOptions(row, NAMES)
      if (expiresAt !== undefined && !Number.isSafeInteger(expiresAt)) throw invalidArgument('expiresAt', 'must be UTC milliseconds')
      const connection = connectionOf({ owner: owner as Subject, name: name as string, ...(provider === undefined ? {} : { provider }) })
      const isNew = await connection.adopt(material, { account, scopes, expiresAt, dryRun })
      yield { index, outcome: isNew ? 'imported' : 'exists' }
    } catch (error) {
      if (!(error instanceof StrongroomError) || error.code !== 'invalid_argument') throw error
      yield { index, outcome: 'refused', code: error.code, message: error.message }
    }
  }
}
