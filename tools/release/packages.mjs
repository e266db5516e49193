// The packages that a release publishes: all of `packages/*` that are not private.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { pnpm, run } from '../../scripts/pnpm.mjs'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** @returns `{ name, version, folder, manifest }` each, in the order of their folders */
export function publicPackages() {
  const all = join(ROOT, 'packages')
  return readdirSync(all)
    .map((name) => join(all, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({ name: manifest.name, version: manifest.version, folder, manifest }))
}

/**
 * Packs each as it is published into a folder, which is made anew.
 *
 * @param repository - the address of the repository, which npm compares with where the package was built; written into the archives
 * @returns `{ name, version, tarball }` each
 */
export function packAll(to, repository) {
  const destination = resolve(to)
  rmSync(destination, { recursive: true, force: true })
  mkdirSync(destination, { recursive: true })
  for (const { folder, manifest } of publicPackages()) {
    const file = join(folder, 'package.json')
    const before = readFileSync(file)
    try {
      if (repository !== undefined) {
        const said = { type: 'git', url: `git+${repository}.git`, directory: relative(ROOT, folder) }
        writeFileSync(file, JSON.stringify({ ...manifest, repository: said }, undefined, 2))
      }
      pnpm(['pack', '--pack-destination', destination], folder)
    } finally {
      writeFileSync(file, before)
    }
  }
  return packedIn(destination)
}

/** What {@link packAll} put there. @throws if that is not one archive of each package */
export function packedIn(folder) {
  const found = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const packed = publicPackages().map(({ name, version }) => {
    const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
    if (!found.includes(file)) throw new Error(`${file} is not in ${folder}: pack first`)
    return { name, version, tarball: join(resolve(folder), file) }
  })
  const others = found.filter((file) => !packed.some(({ tarball }) => basename(tarball) === file))
  if (others.length > 0) throw new Error(`of no package: ${others.join(', ')}`)
  return packed
}

/** Paths in an archive, without the `package/` that all of them begin with. */
export function filesIn(tarball) {
  const paths = run('tar', ['-tzf', tarball], ROOT).trim().split('\n')
  return paths.map((path) => path.replace(/^package\//, '')).toSorted()
}

/** The text of one file in an archive. */
export function fileIn(tarball, path) {
  return run('tar', ['-xzOf', tarball, `package/${path}`], ROOT)
}

/** The folder named on the command line. */
export function folderArgument() {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) throw new Error('name the folder of the archives')
  return folder
}
