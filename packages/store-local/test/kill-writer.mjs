// Writes to both stores without end, and says on standard output which write has resolved: one line of JSON each.
// It is meant to be killed at any instant. Started as: node kill-writer.mjs <directory> <name>. The name is the namespace
// of its entries, and of its own.
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'

import { localStores } from '@strongroom/store-local'

const [directory, name] = process.argv.slice(2)
const { keyStore, stateStore } = localStores({ directory })

await Promise.all([writeKeys(), writeState()])

async function writeKeys() {
  const tenantRef = Buffer.alloc(16, name)
  for (;;) {
    const ref = randomBytes(16)
    for (let revision = 1; revision <= 3; revision++) {
      // Under another parent each time, so that entries of the lists come and go.
      const parentRef = Buffer.alloc(16, revision)
      const node = {
        type: 'node',
        ref,
        kind: 2,
        parentRef,
        tenantRef,
        region: 'eu',
        revision,
        versions: [],
        label: randomBytes(revision * 700),
      }
      await keyStore.put(node)
      acknowledge({ ref: ref.toString('hex'), revision })
    }
  }
}

async function writeState() {
  for (let i = 0; ; i++) {
    const key = `${name}-${i}`
    const first = await stateStore.put(name, key, randomBytes(100), { expected: 'absent', due: i + 1 })
    acknowledge({ key, write: 'first', version: first })
    const second = await stateStore.put(name, key, randomBytes(5000), { expected: first, ...(i % 2 === 0 ? { due: i + 1000 } : {}) })
    acknowledge({ key, write: 'second', version: second })
    if (i % 3 > 0) continue
    await stateStore.delete(name, key, { expected: second })
    acknowledge({ key, write: 'deleted' })
  }
}

function acknowledge(write) {
  // Synchronously: what was not handed to the pipe before the kill was not acknowledged.
  writeSync(1, `${JSON.stringify(write)}\n`)
}
