// `node tools/release/archives.mjs FOLDER`: what is in each archive, and what its manifest says.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { fileIn, filesIn, folderArgument, packedIn, publicPackages, ROOT } from './packages.mjs'

const ALLOWED = [
  /^package\.json$/,
  /^LICENSE$/,
  /^README\.md$/,
  /^CHANGELOG\.md$/,
  /^dist\/.+\.(?:js|d\.ts)(?:\.map)?$/,
  /^src\/.+\.ts$/,
  /^docs\/.+\.md$/,
]
const FORBIDDEN = [/tsbuildinfo/, /(?:^|\/)tests?\//, /\.test\./, /(?:^|\/)node_modules\//]

const problems = []
const folders = new Map(publicPackages().map(({ name, folder }) => [name, folder]))
for (const { name, tarball } of packedIn(folderArgument())) {
  const files = filesIn(tarball)
  const manifest = JSON.parse(fileIn(tarball, 'package.json'))
  for (const problem of [...contents(files, manifest, folders.get(name)), ...texts(tarball, files), ...says(manifest)]) {
    problems.push(`${name}: ${problem}`)
  }
  console.log(`${name}: ${files.length} files`)
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function contents(files, manifest, folder) {
  const needed = [
    'package.json',
    'LICENSE',
    'README.md',
    ...targets(manifest.exports),
    ...targets(manifest.imports),
    ...targets(manifest.bin),
  ]
  // A file of the build whose source is gone is one of an older build.
  const stale = files.filter((file) => file.endsWith('.js') && !existsSync(join(folder, file.replace(/^dist/, 'src').replace(/js$/, 'ts'))))
  // What maps and declarations point to.
  const missing = files
    .filter((file) => file.startsWith('src/') && !file.endsWith('.d.ts'))
    .flatMap((file) => ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => file.replace(/^src/, 'dist').replace(/\.ts$/, end)))
    .filter((file) => !files.includes(file))
  return [
    ...needed.filter((file) => !file.includes('*') && !files.includes(file)).map((file) => `${file} is missing`),
    ...files.filter((file) => !ALLOWED.some((pattern) => pattern.test(file))).map((file) => `${file} does not belong in it`),
    ...files.filter((file) => FORBIDDEN.some((pattern) => pattern.test(file))).map((file) => `${file} must not be in it`),
    ...stale.map((file) => `${file} has no source`),
    ...missing.map((file) => `${file} is missing`),
  ]
}

// Every path that a field of the manifest leads to.
function targets(field) {
  if (typeof field === 'string') return [field.replace('./', '')]
  return Object.values(field ?? {}).flatMap(targets)
}

function texts(tarball, files) {
  const licence = readFileSync(join(ROOT, 'LICENSE'), 'utf8')
  return files.includes('LICENSE') && fileIn(tarball, 'LICENSE') !== licence ? ['LICENSE is not that of the project'] : []
}

function says(manifest) {
  const of = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
  const local = Object.entries(of).filter(([, range]) => /^(?:workspace|catalog|link|file|portal):/.test(range))
  const lifecycle = Object.keys(manifest.scripts ?? {}).filter((script) =>
    /^(?:pre|post)?(?:install|prepare|pack)$|^prepublish/.test(script),
  )
  return [
    ...local.map(([name, range]) => `${name}: ${range} means nothing outside the workspace`),
    ...lifecycle.map((script) => `a script ${script} would run for whoever installs it`),
    ...(manifest.license === 'Apache-2.0' ? [] : ['license is not Apache-2.0']),
    ...(manifest.type === 'module' ? [] : ['type is not module']),
    ...(manifest.engines?.node === '>=20.19' ? [] : ['engines.node is not >=20.19']),
    ...(manifest.description ? [] : ['no description']),
  ]
}
