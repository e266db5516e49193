// The suites of the packages on another version of Node.js: `node tools/nodes/test.mjs 24`, and what vitest takes.
import { spawnSync } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import { nodeOf } from './nodes.mjs'

const SUITES = ['packages/core/', 'packages/kms-local/', 'packages/store-local/']
// Said in README and CONTRIBUTING: epochs, deaths, interleavings and races, and repairs of the ledger take minutes, and what the compiler says is the same on each version.
const LEFT_OUT = [
  'packages/core/test/kills/**',
  'packages/core/test/races/**',
  'packages/core/test/epochs/**',
  'packages/core/test/keys/interleaving.test.ts',
  'packages/core/test/vault/crash.test.ts',
  'packages/core/test/vault/repair-ledger.test.ts',
  'packages/core/test/architecture.test.ts',
]

const [major, ...rest] = process.argv.slice(2)
const node = nodeOf(major)
// First in the path as well: a test that starts `node` by name starts this one.
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env['PATH']}` }
const { status } = spawnSync(
  node,
  ['node_modules/vitest/vitest.mjs', 'run', ...SUITES, ...LEFT_OUT.flatMap((glob) => ['--exclude', glob]), ...rest],
  { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: 'inherit', env },
)
process.exitCode = status ?? 1
