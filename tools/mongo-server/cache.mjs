// What is fetched once for all clones: in the user's cache folder, never in the work tree.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'strongroom')

/**
 * A folder of the cache. Made beside its place and moved there last, so that an interrupted run leaves nothing that looks whole.
 *
 * @param make - fills the folder that it is given
 */
export async function cachedFolder(name, make) {
  const folder = join(CACHE, name)
  if (existsSync(folder)) return folder
  mkdirSync(CACHE, { recursive: true })
  const making = mkdtempSync(join(CACHE, `${name}-making-`))
  try {
    await make(making)
    if (!existsSync(folder)) renameSync(making, folder)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
  return folder
}
