// `node tools/release/scratch.mjs FOLDER`: what users get. The archives are installed by npm in a project outside of the workspace,
// whose programs are compiled and run there.
import { copyFileSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { run } from '../../scripts/pnpm.mjs'
import { MAJORS, nodeOf } from '../nodes/nodes.mjs'
import { fileIn, folderArgument, packedIn, ROOT } from './packages.mjs'

const HERE = fileURLToPath(new URL('scratch', import.meta.url))
// The compiler of the workspace, and the one before it, which more users have.
const COMPILERS = {
  typescript: JSON.parse(readFileSync(join(ROOT, 'node_modules/typescript/package.json'), 'utf8')).version,
  'typescript-5': '5.9.3',
}
const PORTABLE = '--conditions=strongroom-portable'

const packed = packedIn(folderArgument()).map((each) => ({ ...each, manifest: JSON.parse(fileIn(each.tarball, 'package.json')) }))
const scratch = mkdtempSync(join(tmpdir(), 'strongroom-scratch-'))
try {
  install()
  const entries = packed.flatMap(entriesOf)
  write(
    'entries.ts',
    entries.map((entry, i) => `export * as entry${i} from '${entry}'`),
  )
  write(
    'entries.mjs',
    entries.map((entry) => `await import('${entry}')`),
  )
  for (const name of ['program.ts', 'program.mjs', 'tsconfig.json']) copyFileSync(join(HERE, name), join(scratch, name))

  for (const [compiler, version] of Object.entries(COMPILERS)) {
    step(`types, TypeScript ${version}, skipLibCheck false`, () => node(`node_modules/${compiler}/bin/tsc`, '-p', '.'))
  }
  step('every entry point loads', () => node('entries.mjs'))
  step('the compiled program runs', () => node('out/program.js'))
  step('the plain program runs', () => node('program.mjs'))
  step(`the plain program runs under ${PORTABLE}`, () => node(PORTABLE, 'program.mjs'))
  for (const major of MAJORS) step(`the plain program runs on Node.js ${major}`, () => run(nodeOf(major), ['program.mjs'], scratch))
  for (const [bin, path] of packed.flatMap(programsOf)) step(`${bin} --help`, () => node(path, '--help'))
} finally {
  rmSync(scratch, { recursive: true })
}

function install() {
  const { devDependencies } = packed.find(({ name }) => name === '@strongroom/core').manifest
  const dependencies = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
  // Who imports an entry point that has such a peer has it too.
  const optional = Object.fromEntries(
    packed.flatMap(({ manifest: { peerDependencies = {}, peerDependenciesMeta = {} } }) =>
      Object.entries(peerDependencies).filter(([name]) => peerDependenciesMeta[name]?.optional === true),
    ),
  )
  write('package.json', [
    JSON.stringify({
      private: true,
      type: 'module',
      dependencies: { ...optional, ...dependencies, zod: devDependencies.zod },
      devDependencies: {
        '@types/node': devDependencies['@types/node'],
        ...Object.fromEntries(Object.entries(COMPILERS).map(([name, version]) => [name, `npm:typescript@${version}`])),
      },
    }),
  ])
  // Without the scripts of dependencies: what is published must work where they are not run.
  step('npm install', () => run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], scratch))
  step('no range is unmet', () => run('npm', ['ls', '--all'], scratch))
  for (const { name } of packed) {
    if (lstatSync(join(scratch, 'node_modules', name)).isSymbolicLink()) throw new Error(`${name} is a link, not an installed archive`)
  }
}

function entriesOf({ name, manifest }) {
  return Object.entries(manifest.exports ?? {})
    .filter(([path, to]) => typeof to === 'object' && !path.includes('*'))
    .map(([path]) => name + path.slice(1))
}

function programsOf({ name, manifest }) {
  const bin = typeof manifest.bin === 'string' ? { [name]: manifest.bin } : (manifest.bin ?? {})
  return Object.entries(bin).map(([command, path]) => [command, join('node_modules', name, path)])
}

function node(...args) {
  return run(process.execPath, args, scratch)
}

function write(name, lines) {
  writeFileSync(join(scratch, name), `${lines.join('\n')}\n`)
}

function step(what, work) {
  const start = performance.now()
  work()
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
}
