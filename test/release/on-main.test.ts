// What may be released: a tag of the main branch, checked out.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, onTestFinished, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

async function notOnMain(tag: string, root: string): Promise<readonly string[]> {
  const module = (await import(join(ROOT, 'tools/release/on-main.mjs'))) as {
    notOnMain(tag: string, root: string): readonly string[]
  }
  return module.notOnMain(tag, root)
}

/** A repository with a tag on main, a later commit of it, and a tag on a branch; and a clone of it. */
function cloned(): { readonly root: string; git(...args: readonly string[]): string } {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-on-main-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
  const run = (cwd: string, args: readonly string[]): string => {
    const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com']
    return execFileSync('git', [...who, ...args], { cwd, env, encoding: 'utf8', stdio: 'pipe' })
  }
  const origin = join(folder, 'origin')
  run(folder, ['init', '--quiet', '--initial-branch', 'main', origin])
  const commit = (what: string): string => run(origin, ['commit', '--quiet', '--allow-empty', '--message', what])
  commit('first')
  run(origin, ['tag', '--annotate', '--message', 'v1.0.0', 'v1.0.0'])
  commit('second')
  run(origin, ['switch', '--quiet', '--create', 'aside', 'v1.0.0'])
  commit('aside')
  run(origin, ['tag', 'v6.6.6'])
  run(origin, ['switch', '--quiet', 'main'])
  const root = join(folder, 'clone')
  run(folder, ['clone', '--quiet', origin, root])
  return { root, git: (...args) => run(root, args) }
}

test('a tag on main that is checked out, whether main has gone on or not', async () => {
  const { root, git } = cloned()
  git('checkout', '--quiet', 'v1.0.0')
  expect(await notOnMain('v1.0.0', root)).toEqual([])
})

test('refused: a tag of another branch, one that is not checked out, one that is not there, a clone that has no main', async () => {
  const { root, git } = cloned()
  git('checkout', '--quiet', 'v6.6.6')
  expect(await notOnMain('v6.6.6', root)).toEqual(['v6.6.6 is not on main'])
  expect(await notOnMain('v1.0.0', root)).toEqual(['v1.0.0 is not the commit that is checked out'])
  expect(await notOnMain('v2.0.0', root)).toEqual(['there is no tag v2.0.0'])
  git('checkout', '--quiet', 'v1.0.0')
  expect(await notOnMain('v1.0.0', root)).toEqual([])
  git('update-ref', '-d', 'refs/remotes/origin/main')
  expect(await notOnMain('v1.0.0', root)).toEqual([expect.stringMatching(/^whether v1\.0\.0 is on main cannot be told: /)])
})

test('the workflow asks with all of the history at hand', () => {
  const workflow = readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8')
  const [build = ''] = workflow.split('\n  publish:')
  expect(build).toMatch(/fetch-depth: 0\n/)
  expect(build).toMatch(/run: node tools\/release\/tag\.mjs "\$GITHUB_REF_NAME"\n/)
})
