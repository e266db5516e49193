// The clauses of the policies that the first users have published, and which of them tests keep. A clause counts only by tests of an
// example, `examples/*/test`, with the clause in brackets in their titles: all of them passed, each on a running database server.
const CLAUSES = { C: 6, S: 6, F: 9, X: 4, K: 6 }
const EXAMPLE_TEST = /^examples\/[^/]+\/test\//

/** @param tests - `{ path, title, result, server }` each; `server`: what the test says it ran on. @returns the lines to print */
export function countClauses(tests) {
  const all = Object.entries(CLAUSES).flatMap(([policy, clauses]) => Array.from({ length: clauses }, (_, i) => `${policy}${i + 1}`))
  const kept = all.flatMap((clause) => {
    const about = tests.filter(({ path, title }) => EXAMPLE_TEST.test(path) && title.includes(`[${clause}]`))
    if (about.length === 0 || !about.every(({ result, server }) => result === 'passed' && server)) return []
    return [`${clause} kept by ${[...new Set(about.map(({ path, server }) => `${path} on ${server}`))].join(', ')}`]
  })
  return [...kept, `clauses of the users' promises kept: ${kept.length} of ${all.length}`]
}
