// The package manager, at the one version that the project uses.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@12.21.0'

/** Runs pnpm. @returns what it printed. @throws with all of it, if it failed */
export function pnpm(args, cwd = fileURLToPath(new URL('..', import.meta.url))) {
  return run('npx', ['--yes', PNPM, ...args], cwd)
}

/** Runs a program whose output matters only when it fails, and what it printed to standard output otherwise. */
export function run(command, args, cwd, env = {}) {
  const options = { cwd, encoding: 'utf8', env: { ...process.env, CI: 'true', ...env }, maxBuffer: 2 ** 28 }
  const result = spawnSync(command, args, options)
  if (result.status === 0) return result.stdout
  throw new Error(`${command} ${args.join(' ')} failed\n${result.error ? result.error.message : `${result.stdout}\n${result.stderr}`}`)
}
