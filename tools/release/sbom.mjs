// `node tools/release/sbom.mjs FOLDER`: a bill of materials (CycloneDX) for each package, beside its archive: what it brings at run time on
// any platform, and its peers.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { pnpm } from '../../scripts/pnpm.mjs'
import { completeBill, nameOf } from './bill.mjs'
import { folderArgument, publicPackages, ROOT } from './packages.mjs'

// What may be combined with Apache-2.0 without a duty beyond notices.
const LICENCES = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']

const PLACES = join(ROOT, 'node_modules/.pnpm')
const places = readdirSync(PLACES)
const folder = resolve(folderArgument())
const installed = bills('--prod')
const locked = bills('--prod', '--lockfile-only')
// Peers are installed here as what the tests use.
const development = bills('--dev')

const problems = []
for (const { name, version, manifest } of publicPackages()) {
  const bill = completeBill(installed.get(name), {
    known: new Map(locked.get(name).components.map((component) => [component.purl, component])),
    peers: peersOf(manifest, development.get(name)),
    optionalOf: (component) => manifestOf(component)?.optionalDependencies ?? {},
  })
  writeFileSync(join(folder, fileOf(name, version)), `${JSON.stringify(bill, undefined, 2)}\n`)
  for (const problem of problemsOf(bill, manifest)) problems.push(`${name}: ${problem}`)
  const elsewhere = bill.components.filter(isElsewhere).length
  console.log(`${name}: ${bill.components.length} components, ${elsewhere} of them for other platforms`)
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

// By the names of the packages.
function bills(...flags) {
  const temporary = mkdtempSync(join(tmpdir(), 'strongroom-sbom-'))
  try {
    const format = ['--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6', '--split', '--filter', './packages/*']
    pnpm(['sbom', ...flags, ...format, '--out', join(temporary, '%s-%v.cdx.json')])
    const read = ({ name, version }) => [name, JSON.parse(readFileSync(join(temporary, fileOf(name, version)), 'utf8'))]
    return new Map(publicPackages().map(read))
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function fileOf(name, version) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.cdx.json`
}

function peersOf({ peerDependencies = {}, peerDependenciesMeta = {} }, { components }) {
  return components
    .filter((component) => nameOf(component) in peerDependencies)
    .map((component) => ({ ...component, scope: peerDependenciesMeta[nameOf(component)]?.optional ? 'optional' : 'required' }))
}

// Of what is installed.
function manifestOf(component) {
  const name = nameOf(component)
  const place = `${name.replace('/', '+')}@${component.version}`
  // With the peers that it found, where it has any.
  const found = places.find((each) => each === place || each.startsWith(`${place}_`))
  return found && JSON.parse(readFileSync(join(PLACES, found, 'node_modules', name, 'package.json'), 'utf8'))
}

function isElsewhere(component) {
  return component.scope === 'optional' && component.group !== '@strongroom' && manifestOf(component) === undefined
}

function problemsOf({ metadata, components }, manifest) {
  const found = []
  if (nameOf(metadata.component) !== manifest.name || metadata.component.version !== manifest.version)
    found.push(`is of ${nameOf(metadata.component)} ${metadata.component.version}`)
  const listed = new Set(components.map(nameOf))
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    if (!listed.has(dependency)) found.push(`lacks ${dependency}`)
  for (const component of components.filter((each) => each.group !== '@strongroom' && !isElsewhere(each))) {
    if (manifestOf(component) === undefined) found.push(`${nameOf(component)} is not installed: what it brings is not known`)
    const licences = (component.licenses ?? []).map(({ license, expression }) => license?.id ?? license?.name ?? expression)
    if (licences.length === 0 || !licences.every((licence) => LICENCES.includes(licence)))
      found.push(`the licence of ${nameOf(component)} is ${licences.join(', ') || 'not known'}`)
  }
  return found
}
