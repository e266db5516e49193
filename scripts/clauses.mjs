// The clauses of the policies that the first users have published, and which of them a passed test keeps. A clause counts
// only by a test of an example, `examples/*/test`, with the clause in brackets in its title.
const CLAUSES = { C: 6, S: 6, F: 9, X: 4, K: 6 }
const EXAMPLE_TEST = /^examples\/[^/]+\/test\//

/** @param tests - `{ path, title, result }` each. @returns the lines to print */
export function countClauses(tests) {
  const all = Object.entries(CLAUSES).flatMap(([policy, clauses]) => Array.from({ length: clauses }, (_, i) => `${policy}${i + 1}`))
  const keeping = tests.filter((test) => test.result === 'passed' && EXAMPLE_TEST.test(test.path))
  const kept = all.map((clause) => ({ clause, by: keeping.find((test) => test.title.includes(`[${clause}]`)) })).filter(({ by }) => by)
  return [
    ...kept.map(({ clause, by }) => `${clause} kept by ${by.path}`),
    `clauses of the users' promises kept: ${kept.length} of ${all.length}`,
  ]
}
