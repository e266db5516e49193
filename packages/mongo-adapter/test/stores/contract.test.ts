import { randomUUID } from 'node:crypto'

import { keyStoreContract, stateStoreContract } from '@strongroom/core/testing'
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { afterAll, beforeAll, describe, test } from 'vitest'

import { emptyDatabase, openClient, uri } from '../support.ts'

// A round takes most of a minute: counting across processes is for .ci/run, which says how often.
const rounds = Number(process.env['STRONGROOM_ROUNDS'] ?? 0)

describe.skipIf(uri === undefined)('the contracts', () => {
  const client = uri === undefined ? undefined : openClient()
  const database = `strongroom-test-contract-${randomUUID()}`
  const worker = { module: new URL('./open-stores.mjs', import.meta.url), argument: { uri, database } }
  afterAll(() => client?.db(database).dropDatabase())

  beforeAll(() => {
    process.stdout.write(`counting across processes: ${rounds} of 20 rounds on MongoDB (as many as STRONGROOM_ROUNDS says)\n`)
  })

  // Each case gets a database of its own.
  async function opened<T extends { prepare(): Promise<void> }>(store: T): Promise<{ readonly store: T; close(): Promise<void> }> {
    await store.prepare()
    return { store, close: async () => undefined }
  }
  const empty = () => emptyDatabase(client as NonNullable<typeof client>)

  const counting = rounds === 0 ? {} : { worker, rounds }
  const cases = [
    ...keyStoreContract({ ...counting, open: () => opened(mongoKeyStore({ db: empty() })) }),
    ...stateStoreContract({ ...counting, open: () => opened(mongoStateStore({ db: empty() })) }),
  ]
  for (const { name, run } of cases) test(name, run, 3_600_000)
})
