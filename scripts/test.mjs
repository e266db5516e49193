// `npm test`: every test of the workspace but the slow ones of `.ci/run`, then how many clauses of the users' promises passed tests keep.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { countClauses } from './clauses.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'))
const report = join(folder, 'report.json')
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
// A death at each failpoint takes two minutes alone.
const slow = ['--exclude', 'packages/core/test/kills/failpoints.test.ts']
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const { status } = spawnSync(process.execPath, [vitest, 'run', ...reporters, ...slow, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})

const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
rmSync(folder, { recursive: true })
const tests = testResults.flatMap((file) =>
  file.assertionResults.map(({ fullName, status: result, meta: { server } }) => ({
    path: relative(root, file.name),
    title: fullName,
    result,
    server,
  })),
)
const count = (result) => tests.filter((test) => test.result === result).length
const brokenFiles = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
const skipped = tests.length - count('passed') - count('failed')

for (const line of countClauses(tests)) console.log(line)
console.log(`tests: ${count('passed')} passed, ${count('failed') + brokenFiles} failed, ${skipped} skipped`)
process.exitCode = status ?? 1
