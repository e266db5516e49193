import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { keyStoreContract, stateStoreContract } from '@strongroom/core/testing'
import { type LocalStores, localStores } from '@strongroom/store-local'
import { afterAll, beforeAll, test } from 'vitest'

// The contract's twenty take more than a minute: they are for .ci/run.
const rounds = Number(process.env['STRONGROOM_ROUNDS'] ?? 2)

const folder = await mkdtemp(join(tmpdir(), 'strongroom-contract-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

beforeAll(() => {
  process.stdout.write(`counting across processes: ${rounds} of 20 rounds (as many as STRONGROOM_ROUNDS says)\n`)
})

const worker = { module: new URL('./open-stores.mjs', import.meta.url), argument: { directory: join(folder, 'shared') } }

async function openEmpty(): Promise<LocalStores> {
  return localStores({ directory: await mkdtemp(join(folder, 'store-')) })
}

const cases = [
  ...keyStoreContract({
    worker,
    rounds,
    async open() {
      const { keyStore, close } = await openEmpty()
      return { store: keyStore, close }
    },
  }),
  ...stateStoreContract({
    worker,
    rounds,
    async open() {
      const { stateStore, close } = await openEmpty()
      return { store: stateStore, close }
    },
  }),
]

for (const { name, run } of cases) test(name, run, 600_000)
