// A process of its own on the vault of a benchmark.
import { join } from 'node:path'

import { openVault } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'

import { make, timed } from './epochs.mjs'

const [folder] = process.argv.slice(2)
const stores = localStores({ directory: join(folder, 'vault') })
let puts = 0
const stateStore = { ...stores.stateStore, put: (...args) => (puts++, stores.stateStore.put(...args)) }
const provider = await localKeyProvider({ file: join(folder, 'root.key'), rawKey: new Uint8Array(32).fill(7), copiesLife: 0 })
const vault = await openVault({ keyProviders: { eu: provider }, defaultRegion: 'eu', ...stores, stateStore, maxCachedKeys: 2000 })
const tenant = vault.tenant('bench')

const tasks = {
  async make({ from, to }) {
    await make(to - from, (i) => tenant.subject(`s${i}`), from)
    return {}
  },
  async shredMany({ from, to }) {
    const names = Array.from({ length: to - from }, (_, i) => `s${from + i}`)
    for await (const shredded of tenant.shredMany(names)) void shredded
    return { put: puts }
  },
  async rotate() {
    const memory = []
    const sample = setInterval(() => memory.push(process.memoryUsage()), 1000)
    let counted = 0
    const watched = (async function* () {
      for await (const progress of vault.rotateTenantKey(tenant)) {
        counted = progress.total
        yield progress
      }
    })()
    const start = performance.now()
    const { wall, cpu } = await timed(watched, 1)
    clearInterval(sample)
    const heap = memory.map(({ heapUsed, external }) => (heapUsed + external) / 2 ** 20)
    const half = heap.length >> 1
    return {
      seconds: (performance.now() - start) / 1000,
      wall: wall * counted,
      cpu: cpu * counted,
      firstHalf: Math.max(...heap.slice(0, half)),
      secondHalf: Math.max(...heap.slice(half)),
    }
  },
  async end() {
    await vault.close()
    process.exit(0)
  },
}

process.on('message', ({ task, ...args }) => {
  void tasks[task](args).then((answer) => process.send(answer))
})
process.send({ ready: true })
