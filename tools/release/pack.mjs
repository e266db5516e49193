// `node tools/release/pack.mjs FOLDER [REPOSITORY]`: one archive of each package, as npm will have it.
import { folderArgument, packAll } from './packages.mjs'

const repository = process.argv[3]
for (const { name, version, tarball } of packAll(folderArgument(), repository)) console.log(`${name} ${version} ${tarball}`)
