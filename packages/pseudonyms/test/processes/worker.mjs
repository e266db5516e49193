// A process that writes a log: opens the vault that is in a folder, pseudonymises or sweeps when it is told to, and dies at a write of its stores.
import { openVault } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { createPseudonyms } from '@strongroom/pseudonyms'

import { answerWith } from '../../../core/test/processes/answer-with.mjs'
import { openStores } from '../../../core/test/stores/open-stores.mjs'

let pseudonyms
let vault
let now = 0
// The number of the write at which it dies, and on which side of it.
let dies
let writes = 0

function dying(store) {
  const at = (side) => {
    if (dies?.write === writes && dies.side === side) process.kill(process.pid, 'SIGKILL')
  }
  const written = (call) =>
    async function (...args) {
      writes++
      at('before')
      const result = await call.apply(store, args)
      at('behind')
      return result
    }
  return new Proxy(store, {
    get(target, name) {
      const value = target[name]
      if (typeof value !== 'function') return value
      return name === 'put' || name === 'delete' ? written(value) : value.bind(target)
    },
  })
}

const TASKS = {
  async open({ directory, at, options }) {
    now = at
    const { keyStore, stateStore, close } = await openStores(directory)
    vault = await openVault({
      keyProviders: { eu: await localKeyProvider({ file: `${directory}/root.key`, rawKey: new Uint8Array(32).fill(7) }) },
      defaultRegion: 'eu',
      keyStore: dying(keyStore),
      stateStore: dying(stateStore),
      clock: { now: () => now, monotonic: () => performance.now() },
      close,
    })
    pseudonyms = createPseudonyms(vault.tenant('acme'), { purpose: 'access-log', ...options })
  },
  /** From now on it dies there, counted from this call. */
  dieAt(where) {
    dies = where
    writes = 0
  },
  writes: () => writes,
  pseudonymise: (at) => pseudonyms.pseudonymise('192.0.2.1', { at }),
  sweep: () => pseudonyms.sweep(),
  close: () => vault.close(),
}

answerWith(TASKS)
