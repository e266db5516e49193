// Many connections whose tokens have ended, each refreshed once: how much memory was in use in each half.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { localStores } from '@strongroom/store-local'

import { openGround } from './ground.mjs'

const CONNECTIONS = 10_000
const AT_ONCE = 16

const directory = await mkdtemp(join(tmpdir(), 'strongroom-bench-'))
const { close, ...stores } = localStores({ directory })
const { tenant, credentials, tokens } = await openGround(stores)
const connection = (i) => credentials.connection(tenant.subject(`user-${i}`), 'crm')
for (let i = 0; i < CONNECTIONS; i++) await connection(i).save(tokens(0))
const seen = []
let done = 0
const start = performance.now()
const all = Array.from({ length: CONNECTIONS }, (_, i) => i).values()
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (const i of all) {
      await connection(i).use((token) => token.reveal().length)
      if (++done % 500 !== 0) continue
      globalThis.gc()
      const { heapUsed, external } = process.memoryUsage()
      seen.push((heapUsed + external) / 2 ** 20)
    }
  }),
)
const seconds = (performance.now() - start) / 1000
await close()
await rm(directory, { recursive: true })
const most = (values) => Math.round(Math.max(...values))
const half = seen.length / 2
console.log(JSON.stringify({ connections: CONNECTIONS, seconds, firstHalf: most(seen.slice(0, half)), secondHalf: most(seen.slice(half)) }))
