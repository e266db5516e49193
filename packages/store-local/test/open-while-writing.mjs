// Opens a folder a second time while a write to it waits for this thread, and reads there what the write has written.
// Started as: node open-while-writing.mjs <directory>
import assert from 'node:assert/strict'

import { localStores } from '@strongroom/store-local'

const directory = process.argv[2]
const first = localStores({ directory })
const writing = first.stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'absent' })
// One turn starts the thread that writes; then it gets the time to begin its transaction and wait for this thread.
await new Promise((resolve) => setImmediate(resolve))
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)

const second = localStores({ directory })
const version = await writing
assert.equal((await second.stateStore.get('n', 'k')).version, version)
await Promise.all([first.close(), second.close()])
process.stdout.write('opened')
