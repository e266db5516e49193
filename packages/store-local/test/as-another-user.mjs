// Opens a copy, or stores, as one who owns none of their files, and says what it reads, or which error it got.
// Started as: node as-another-user.mjs <copy | stores> <directory>
import { localKeyStoreCopy, localStores } from '@strongroom/store-local'

const [what, directory] = process.argv.slice(2)
// Loaded first: that user may not be able to read this program. Who is not root is refused by the modes of the files alone.
if (process.getuid() === 0) {
  process.setgroups([])
  process.setgid(65_534)
  process.setuid(65_534)
}

let answer
try {
  const { keyStore, close } = what === 'copy' ? localKeyStoreCopy({ directory }) : localStores({ directory })
  const [vault] = await keyStore.get([{ type: 'vault' }])
  await close()
  answer = ['read', vault.homeRegion]
} catch ({ code, message }) {
  answer = [code, message]
}
process.stdout.write(JSON.stringify(answer))
