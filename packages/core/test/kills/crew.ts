/** The processes at work on a round, each replaced by a fresh one when it was killed. */

import type { Event, Pool, Process } from './process.ts'
import type { Manner, Round } from './round.ts'

export type Role = 'runner' | 'other runner' | 'writer' | 'checker'

export class Crew {
  readonly #pool: Pool
  readonly #members = new Map<Role, Process>()
  #round: Round | undefined
  #opened = new Set<Process>()

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** Whoever is needed from now on has the vault of this round open. */
  async begin(round: Round): Promise<void> {
    this.#round = round
    this.#opened = new Set()
    await Promise.all((['runner', 'other runner', 'writer'] as const).map((role) => this.open(role)))
  }

  /** The process of a role, with the vault open. */
  async open(role: Role): Promise<Process> {
    const process = await this.any(role)
    if (!this.#opened.has(process)) await this.#round?.open(process)
    this.#opened.add(process)
    return process
  }

  /** The process of a role. */
  async any(role: Role): Promise<Process> {
    const member = this.#members.get(role)
    if (member?.alive === true) return member
    const fresh = await this.#pool.take()
    this.#members.set(role, fresh)
    return fresh
  }

  /** After a failure: whoever is still at work is not to meet the next round. */
  async disband(): Promise<void> {
    await Promise.all(
      [...this.#members.values()].map((process) => {
        process.kill()
        return process.ended
      }),
    )
  }

  async end(): Promise<void> {
    await Promise.all([...this.#opened].filter(({ alive }) => alive).map((process) => process.run('close')))
    await this.#round?.remove()
  }
}

/** How the first writer is watched, and dies. */
export interface WriterFate extends Manner {
  readonly onEvent?: (event: Event) => void
  /** Called once it has ended: whether it lived to hear that it is to halt. */
  readonly onEnd?: (lived: boolean) => Promise<void>
}

/** A writer, and a fresh one in its place when it was killed, until it is to stop. */
export class Writing {
  readonly #crew: Crew
  readonly #round: Round
  readonly #random: () => number
  readonly #ended: Promise<void>
  #process: Process | undefined
  #stopping = false

  constructor(crew: Crew, round: Round, random: () => number, fate: (process: Process) => WriterFate = () => ({})) {
    this.#crew = crew
    this.#round = round
    this.#random = random
    this.#ended = this.#write(fate)
    // Whoever stops it hears of it.
    this.#ended.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    // One that is being killed is not replaced any more.
    this.#process?.run('halt').catch(() => undefined)
    await this.#ended
  }

  async #write(fate: (process: Process) => WriterFate): Promise<void> {
    const process = await this.#crew.open('writer')
    if (this.#stopping) return
    this.#process = process
    const { onEvent, onEnd, ...manner } = fate(process)
    const lived = await this.#round.write(process, Math.floor(this.#random() * 2 ** 31), onEvent, manner)
    await onEnd?.(lived)
    if (!lived && !this.#stopping) await this.#write(() => ({}))
  }
}

/** A pseudorandom generator of numbers from 0 to below 1. */
export function mulberry32(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
