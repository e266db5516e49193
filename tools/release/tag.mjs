// `node tools/release/tag.mjs v1.2.3`: whether the tag is on main and names the version that all packages have, with no changeset left out.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { notOnMain } from './on-main.mjs'
import { publicPackages, ROOT } from './packages.mjs'

const [tag] = process.argv.slice(2)
const waiting = readdirSync(join(ROOT, '.changeset')).filter((name) => name.endsWith('.md') && name !== 'README.md')
const problems = [
  ...notOnMain(tag, ROOT),
  ...publicPackages().flatMap(({ name, version, folder }) => [
    ...(tag === `v${version}` ? [] : [`${name} is ${version}, not ${tag}`]),
    ...(existsSync(join(folder, 'CHANGELOG.md')) ? [] : [`${name} has no CHANGELOG.md`]),
  ]),
  ...waiting.map((name) => `.changeset/${name} waits: run npm run release:version`),
]
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
