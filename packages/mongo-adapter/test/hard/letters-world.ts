// A vault on the server with a collection of letters in it, and processes that work on them and may be killed.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { initVault } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'

import { uri } from '../support.ts'
import { vaultOptions, type Where } from './accounts.mjs'
import { type Letters, openLetters } from './letters.mjs'

export interface LettersWorld {
  readonly where: Where
  readonly opened: Letters
  remove(): Promise<void>
}

export async function makeLetters(): Promise<LettersWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-letters-'))
  await createLocalKeyFile({ file: join(folder, 'root.key'), rawKey: new Uint8Array(32).fill(7), region: 'eu' })
  const where = { uri: uri as string, database: `strongroom-test-${randomUUID()}`, rootKeyFile: join(folder, 'root.key') }
  const { client: _, ...options } = await vaultOptions(where)
  // A rotation of a key waits for so long.
  await initVault({ ...options, cacheBound: 1500 })
  await options.close?.()
  const opened = await openLetters(where)
  await opened.vault.tenants.create('acme')
  await opened.letters.createIndexes()
  return {
    where,
    opened,
    async remove() {
      for (const name of ['', '-keys', '-state']) await opened.client.db(`${where.database}${name}`).dropDatabase()
      await opened.vault.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** What a process says: that it has begun, how it has ended, or a change that has come to it. */
export interface Said {
  readonly ready?: true
  readonly token?: unknown
  readonly done?: unknown
  readonly change?: SaidChange
  readonly failed?: string
}

/** A process, and what it says, piece by piece. */
export class Worker {
  readonly #child: ChildProcess
  readonly #said: Said[] = []
  #heard: () => void = () => undefined
  readonly ended: Promise<unknown>

  constructor(task: string, argument: object) {
    // The test runner's own flags are not for these processes.
    this.#child = fork(new URL('./letters-worker.mjs', import.meta.url), { execArgv: [], serialization: 'advanced' })
    this.ended = once(this.#child, 'exit').then(([, signal]) => signal as unknown)
    this.#child.on('message', (said: Said) => {
      this.#said.push(said)
      this.#heard()
    })
    this.#child.send({ task, ...argument })
  }

  async next(): Promise<Said> {
    while (this.#said.length === 0) await new Promise<void>((resolve) => (this.#heard = resolve))
    const said = this.#said.shift() as Said
    if (said.failed !== undefined) throw new Error(said.failed)
    return said
  }

  tell(): void {
    this.#child.send('stop')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

export interface SaidChange {
  readonly token: unknown
  readonly operation: string
  readonly id: number
  /** `[shredded]` for a mark. */
  readonly title: string | undefined
}
