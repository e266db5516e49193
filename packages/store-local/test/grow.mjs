// Writes a number of values of 1 MiB and reads them all again. Started as: node grow.mjs <directory> <name> <count>
import assert from 'node:assert/strict'

import { localStores } from '@strongroom/store-local'

const [directory, name, count] = process.argv.slice(2)
const { stateStore, close } = localStores({ directory, mapSize: 2 ** 20 })
const value = (i) => new Uint8Array(2 ** 20).fill(i)
for (let i = 0; i < Number(count); i++) {
  await stateStore.put('n', `${name}-${i}`, value(i), { expected: 'absent' })
  const stored = await stateStore.get('n', `${name}-${Math.floor(i / 2)}`)
  assert.deepEqual(stored?.value, value(Math.floor(i / 2)))
}
for (let i = 0; i < Number(count); i++) assert.deepEqual((await stateStore.get('n', `${name}-${i}`))?.value, value(i))
await close()
