// All set-up for a fresh clone: the locked dependencies, then the build. Quick when there is nothing to do.
import { fileURLToPath } from 'node:url'

import { pnpm, run } from './pnpm.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Strongroom needs Node.js 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

try {
  pnpm(['install', '--frozen-lockfile', '--reporter=append-only'])
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], root)
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
