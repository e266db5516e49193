// `node tools/release/sbom.mjs FOLDER`: a bill of materials (CycloneDX) for each package, beside its archive: what it brings at run time.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { pnpm } from '../../scripts/pnpm.mjs'
import { folderArgument, publicPackages } from './packages.mjs'

// What may be combined with Apache-2.0 without a duty beyond notices.
const LICENCES = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']

const folder = resolve(folderArgument())
const format = ['--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6']
pnpm(['sbom', ...format, '--prod', '--split', '--filter', './packages/*', '--out', join(folder, '%s-%v.cdx.json')])

const problems = []
for (const { name, version, manifest } of publicPackages()) {
  const { metadata, components } = JSON.parse(
    readFileSync(join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.cdx.json`), 'utf8'),
  )
  const nameOf = ({ group, name: own }) => (group ? `${group}/${own}` : own)
  if (nameOf(metadata.component) !== name || metadata.component.version !== version)
    problems.push(`${name}: is of ${nameOf(metadata.component)}`)
  const listed = new Set(components.map(nameOf))
  for (const dependency of Object.keys(manifest.dependencies ?? {}))
    if (!listed.has(dependency)) problems.push(`${name}: lacks ${dependency}`)
  for (const component of components.filter((each) => each.group !== '@strongroom')) {
    const licences = (component.licenses ?? []).map(({ license, expression }) => license?.id ?? license?.name ?? expression)
    if (licences.length === 0 || !licences.every((licence) => LICENCES.includes(licence))) {
      problems.push(`${name}: the licence of ${nameOf(component)} is ${licences.join(', ') || 'not known'}`)
    }
  }
  console.log(`${name}: ${components.length} components`)
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
