/** What these tests share: a folder each, a raw key, and how to see a refusal. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { type StrongroomErrorCode, StrongroomError } from '@strongroom/core'
import { expect, onTestFinished } from 'vitest'

/** Never a real key: the tests share it with their forked helpers. */
export const RAW_KEY: Uint8Array = new Uint8Array(32).fill(7)
export const AAD: Uint8Array = new TextEncoder().encode('place')
export const PLAINTEXT: Uint8Array = Uint8Array.from({ length: 64 }, (_, i) => i)
export const DAY_MS = 86_400_000

/** A path in a folder that goes when the test has finished. */
export async function newPath(name = 'root.key'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-kms-local-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, name)
}

/** Asserts the refusal and returns it. */
export async function refused(promise: Promise<unknown>, code: StrongroomErrorCode): Promise<StrongroomError> {
  const error = await promise.then(
    () => new Error('succeeded'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(StrongroomError)
  expect((error as StrongroomError).code, (error as StrongroomError).message).toBe(code)
  return error as StrongroomError
}

export interface FileDocument {
  generation: number
  protection: { kind: string; salt: string; memory?: number; passes?: number }
  versions: { number: number; state: string; id: string; created: number; destroyed?: number; copiesUntil?: number }[]
  file: string
  region: string | null
  sealed: string
  [name: string]: unknown
}

export async function readDocument(path: string): Promise<FileDocument> {
  return JSON.parse(await readFile(path, 'utf8')) as FileDocument
}

export function encodeDocument(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

/** Starts `worker.mjs` with these arguments; it ends with the test. */
export function startWorker(...args: readonly string[]): ChildProcess {
  const child = fork(fileURLToPath(new URL('./worker.mjs', import.meta.url)), args)
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** The next message of a worker; rejects if it ends without one. */
export async function message(child: ChildProcess): Promise<unknown> {
  const [first] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the worker ended with ${String(code)}`))),
  ])
  return first
}
