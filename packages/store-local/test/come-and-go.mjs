// Opens the stores, writes or does not, and closes them or just ends, again and again; processes that do so are what makes
// LMDB lose commits and mutexes. Started as: node come-and-go.mjs <directory> <name> <times> [write]
import { localStores } from '@strongroom/store-local'

const [directory, name, times, write] = process.argv.slice(2)
for (let i = 0; i < Number(times); i++) {
  const { stateStore, close } = localStores({ directory })
  if (write) await stateStore.put('n', `${name}-${i}`, Uint8Array.of(1), { expected: 'absent' })
  if (i + 1 < Number(times)) await close()
}
process.stdout.write('done')
