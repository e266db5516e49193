/** How many vectors of each kind agreed, and on which backend. */
export interface KnownAnswerCounts {
  readonly backend: 'node' | 'portable'
  readonly [kind: string]: unknown
}

export function runKnownAnswers(): KnownAnswerCounts
export function runVectors(): KnownAnswerCounts | undefined
export function runMillion(): number
