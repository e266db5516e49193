// `node tools/release/lint.mjs FOLDER`: publint and attw on each archive.
import { join } from 'node:path'

import { run } from '../../scripts/pnpm.mjs'
import { fileIn, folderArgument, packedIn, ROOT } from './packages.mjs'

const tool = (name) => join(ROOT, 'node_modules/.bin', name)

let failed = false
for (const { name, tarball } of packedIn(folderArgument())) {
  const checks = [['publint', 'run', tarball, '--strict']]
  // A package that has a program alone has no types to look at.
  if (fileIn(tarball, 'package.json').includes('"types"')) checks.push(['attw', tarball, '--profile', 'esm-only', '--no-emoji'])
  for (const [command, ...args] of checks) {
    try {
      run(tool(command), args, ROOT)
      console.log(`${name}: ${command} found nothing`)
    } catch (error) {
      failed = true
      console.error(error.message)
    }
  }
}
process.exitCode = failed ? 1 : 0
