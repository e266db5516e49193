// All set-up for a fresh clone: the locked dependencies, then the build. Quick when there is nothing to do.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const PNPM = 'pnpm@12.21.0'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Strongroom needs Node.js 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

run('npx', ['--yes', PNPM, 'install', '--frozen-lockfile', '--reporter=append-only'])
run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'])

function run(command, args) {
  // What set-up prints matters only when it fails.
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, CI: 'true' } })
  if (result.status === 0) return
  console.error(`${command} ${args.join(' ')} failed`)
  console.error(result.error ? result.error.message : `${result.stdout}\n${result.stderr}`)
  process.exit(1)
}
