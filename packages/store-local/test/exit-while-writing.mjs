// Writes to both stores without end, and exits in the midst of it, as a server does that was told to stop or that failed.
// Started as: node exit-while-writing.mjs <directory> <name>
import { randomBytes } from 'node:crypto'

import { localStores } from '@strongroom/store-local'

const [directory, name] = process.argv.slice(2)
const { keyStore, stateStore } = localStores({ directory })

setTimeout(() => process.exit(7), 20 + Math.random() * 50)
await Promise.all([writeKeys(), writeState()])

async function writeKeys() {
  for (;;) {
    const ref = randomBytes(16)
    await keyStore.put({ type: 'node', ref, kind: 2, parentRef: ref, tenantRef: ref, region: 'eu', revision: 1, versions: [] })
  }
}

async function writeState() {
  for (let i = 0; ; i++) await stateStore.put('n', `${name}-${i}`, randomBytes(100), { expected: 'absent' })
}
