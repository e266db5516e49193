// Fills its disk (a limit on the size of files stands in for it) and goes on. An unhandled rejection would end it.
// Started as: node full-disk.mjs <directory>
import assert from 'node:assert/strict'

import { localStores } from '@strongroom/store-local'

const { stateStore, close } = localStores({ directory: process.argv[2] })
const put = (key, bytes) => stateStore.put('n', key, new Uint8Array(bytes), { expected: 'absent', due: 1 })

let held = 0
await assert.rejects(
  async () => {
    for (; ; held++) await put(`large-${held}`, 500_000)
  },
  // ENOSPC of a disk; of the limit it is EIO.
  { code: 'state_store_unavailable', message: /^the local state store in .*state could not be read or written \(E[A-Z]+\)$/ },
)
assert(held > 0)

// Of writes that share a commit, only those fail for which there is no room.
const together = await Promise.allSettled([put('a', 900_000), put('b', 1), put('c', 900_000)])
assert.deepEqual(
  together.map(({ reason }) => reason?.code),
  ['state_store_unavailable', undefined, 'state_store_unavailable'],
)
assert.equal((await stateStore.scan('n', '', { limit: 10_000 })).length, held + 1, 'what failed left nothing')
assert.equal((await stateStore.due('n', 1, 10_000)).length, held + 1, 'and no entry in a list')

await stateStore.put('n', 'small', Uint8Array.of(1), { expected: 'absent' })
await close()
process.stdout.write('went on')
