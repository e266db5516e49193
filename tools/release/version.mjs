// `node tools/release/version.mjs`: gives the packages their next version and changelogs, from the changesets.
// `node tools/release/version.mjs --rehearse`: the same in a copy, and says what it came to; nothing here changes.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { run } from '../../scripts/pnpm.mjs'
import { publicPackages, ROOT } from './packages.mjs'

const CHANGESET = join(ROOT, 'node_modules/.bin/changeset')

if (process.argv[2] === '--rehearse') rehearse()
else nextVersion(ROOT)

function rehearse() {
  const copy = mkdtempSync(join(tmpdir(), 'strongroom-version-'))
  try {
    const manifests = ['packages', 'examples'].flatMap((kind) =>
      readdirSync(join(ROOT, kind)).map((name) => join(kind, name, 'package.json')),
    )
    for (const path of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', '.changeset', ...manifests]) {
      if (!existsSync(join(ROOT, path))) continue
      mkdirSync(dirname(join(copy, path)), { recursive: true })
      cpSync(join(ROOT, path), join(copy, path), { recursive: true })
    }
    const waiting = readdirSync(join(copy, '.changeset')).filter((name) => name.endsWith('.md') && name !== 'README.md').length
    const before = publicPackages().map(({ version }) => version)
    nextVersion(copy)
    const after = publicPackages().map(({ folder }) => manifestOf(join(copy, folder.slice(ROOT.length))).version)
    console.log(`${waiting} changesets: ${before[0]} to ${after[0]}`)
    if (new Set(after).size !== 1) throw new Error(`the packages do not have one version: ${after.join(', ')}`)
    if (waiting > 0 && after[0] === before[0]) throw new Error('the changesets change no version')
    // The first major version is made by hand, when the formats are final.
    if (before[0].startsWith('0.') && !after[0].startsWith('0.')) throw new Error(`a changeset asks for ${after[0]}: before 1.0, say minor`)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

// Changesets takes every new minor version of a peer for a breaking change, so that one of core would make all packages 1.0.0. All have
// one version and ask for `workspace:^`, which is right whatever it is: changesets does not get to see it.
function nextVersion(root) {
  const folders = publicPackages().map(({ folder }) => join(root, folder.slice(ROOT.length)))
  const peers = new Map(folders.map((folder) => [folder, manifestOf(folder).peerDependencies]))
  try {
    for (const folder of folders) change(folder, peers.get(folder), (range) => !range.startsWith('workspace:'))
    run(CHANGESET, ['version'], root)
  } finally {
    for (const folder of folders) change(folder, peers.get(folder), () => true)
  }
}

function change(folder, peers, kept) {
  if (peers === undefined) return
  const manifest = manifestOf(folder)
  manifest.peerDependencies = Object.fromEntries(Object.entries(peers).filter(([, range]) => kept(range)))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
