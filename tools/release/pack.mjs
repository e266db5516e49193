// `node tools/release/pack.mjs FOLDER`: one archive of each package, as npm will have it.
import { folderArgument, packAll } from './packages.mjs'

for (const { name, version, tarball } of packAll(folderArgument())) console.log(`${name} ${version} ${tarball}`)
