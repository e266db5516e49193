/** How many kills each phase has met. */

import { type OperationName, OPERATIONS, WRITER_PHASES } from './operations.ts'

export interface Phase {
  /** `undefined`: of the writer, whatever is run beside it. */
  readonly operation: OperationName | undefined
  readonly phase: string
}

// Until it was seen how long a phase takes.
const FIRST_GUESS_MS = 4

export class Tally {
  readonly #phases: readonly Phase[]
  readonly #kills = new Map<string, number>()
  readonly #spans = new Map<string, number>()

  constructor() {
    const operations = Object.entries(OPERATIONS) as [OperationName, (typeof OPERATIONS)[OperationName]][]
    this.#phases = [
      ...operations.flatMap(([operation, { phases }]) => phases.map((phase) => ({ operation, phase }))),
      ...WRITER_PHASES.map((phase) => ({ operation: undefined, phase })),
    ]
    for (const phase of this.#phases) this.#kills.set(nameOf(phase), 0)
  }

  count(phase: Phase): void {
    const name = nameOf(phase)
    const before = this.#kills.get(name)
    if (before === undefined) throw new Error(`there is no phase ${name}`)
    this.#kills.set(name, before + 1)
  }

  get kills(): number {
    return [...this.#kills.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Phases that no kill has met. */
  get untouched(): readonly string[] {
    return [...this.#kills].flatMap(([name, count]) => (count === 0 ? [name] : []))
  }

  /** One of the phases that the fewest kills have met, of those that fit. */
  least(random: () => number, fits: (phase: Phase) => boolean = () => true): Phase {
    const candidates = this.#phases.filter(fits)
    const fewest = Math.min(...candidates.map((phase) => this.#kills.get(nameOf(phase)) as number))
    const least = candidates.filter((phase) => this.#kills.get(nameOf(phase)) === fewest)
    return least[Math.floor(random() * least.length)] as Phase
  }

  /** A phase took so many milliseconds. */
  took(phase: Phase, ms: number): void {
    this.#spans.set(nameOf(phase), (this.span(phase) + ms) / 2)
  }

  /** How many milliseconds a phase is likely to take. */
  span(phase: Phase): number {
    return this.#spans.get(nameOf(phase)) ?? FIRST_GUESS_MS
  }

  toString(): string {
    return [...this.#kills].map(([name, count]) => `  ${String(count).padStart(4)} ${name}`).join('\n')
  }
}

function nameOf({ operation, phase }: Phase): string {
  return `${operation ?? 'writer'}: ${phase}`
}
