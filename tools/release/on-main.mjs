// Whether a tag is of the commit that is checked out, and that commit is one of the main branch.
import { spawnSync } from 'node:child_process'

/**
 * @param root - the clone, with all of its history: `fetch-depth: 0`
 * @returns what is wrong, nothing where all is well
 */
export function notOnMain(tag, root) {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  const commit = git('rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`).stdout.trim()
  if (commit === '') return [`there is no tag ${tag}`]
  const problems = []
  if (commit !== git('rev-parse', 'HEAD').stdout.trim()) problems.push(`${tag} is not the commit that is checked out`)
  const { status, stderr } = git('merge-base', '--is-ancestor', commit, 'refs/remotes/origin/main')
  if (status === 1) problems.push(`${tag} is not on main`)
  else if (status !== 0) problems.push(`whether ${tag} is on main cannot be told: ${stderr.trim()}`)
  return problems
}
