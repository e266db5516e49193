// Writes one entry from a process of its own, and ends. Started as: node one-write.mjs <directory> <key>
import { localStores } from '@strongroom/store-local'

const [directory, key] = process.argv.slice(2)
const { stateStore, close } = localStores({ directory })
await stateStore.put('n', key, Uint8Array.of(1), { expected: 'absent' })
await close()
process.stdout.write('written')
