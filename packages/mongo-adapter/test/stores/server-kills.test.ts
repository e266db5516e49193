// The server is killed and started again in the midst of writes: each is whole or absent, and its error says which it may be.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import { field, initVault, type KeyStore, type NodeRecord, openVault, type StateStore, StrongroomError, type Vault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { type OwnServer, startServer } from '../../../../tools/mongo-server/server.mjs'
import { uri } from '../support.ts'
import { keyOf, node, reference } from './records.ts'

const KILLS = Number(process.env['STRONGROOM_SERVER_KILLS'] ?? 2)
const LANES = 6
const BYTES = 20_000
const database = randomUUID()
const email = field('users', 'email', z.string())

type Outcome = 'written' | 'not written' | 'unknown'

/** What a call of a store said of its write. Anything but the two things that an outage may be called is thrown. */
async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call
    return 'written'
  } catch (error) {
    if (!(error instanceof StrongroomError) || !/^(key|state)_store_unavailable$/.test(error.code)) throw error
    if (error.message.includes('nothing was written')) return 'not written'
    // Before the first write of a process, it looks whether the storage is as it was made.
    if (error.message.includes('could not be read')) return 'not written'
    expect(error.message).toContain('did not confirm')
    expect(error.cause).toBeInstanceOf(Error)
    return 'unknown'
  }
}

/** The numbers that may be stored after a write of `number`. */
function possible(outcome: Outcome, number: number): readonly number[] {
  if (outcome === 'written') return [number]
  return outcome === 'not written' ? [number - 1] : [number - 1, number]
}

describe.skipIf(uri === undefined)('the server dies', () => {
  let server: OwnServer
  const clients: MongoClient[] = []
  beforeAll(async () => {
    const started = await startServer()
    if (started.uri === undefined) throw new Error(started.description)
    server = started
    await open(60_000).keyStore.prepare()
    await open(60_000).stateStore.prepare()
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await server.stop()
  })

  function open(timeout: number) {
    const client = new MongoClient(server.uri, { serverSelectionTimeoutMS: timeout })
    clients.push(client)
    const db = client.db(database)
    return { keyStore: mongoKeyStore({ db, timeout }), stateStore: mongoStateStore({ db, timeout }) }
  }

  const tally: Record<Outcome, number> = { written: 0, 'not written': 0, unknown: 0 }

  // The bytes of a write all are its number.
  const bytesOf = (number: number): Uint8Array => new Uint8Array(BYTES).fill(number % 256)
  function expectWhole(bytes: Uint8Array | undefined, number: number): void {
    expect(Buffer.compare(bytes ?? new Uint8Array(0), bytesOf(number)), 'a write is whole').toBe(0)
  }

  /** Writes the next revision of one record until one is not confirmed. @returns the revision that is there then */
  async function writeRecords(store: KeyStore, ref: Uint8Array, from: number, goOn: () => boolean): Promise<() => Promise<number>> {
    for (let revision = from + 1; ; revision++) {
      const outcome = await outcomeOf(store.put(node(ref, { revision, label: bytesOf(revision) })))
      tally[outcome]++
      if (outcome === 'written' && goOn()) continue
      return async () => {
        const [record] = (await open(60_000).keyStore.get([keyOf(node(ref))])) as readonly (NodeRecord | undefined)[]
        const there = record?.revision ?? 0
        expect(possible(outcome, revision), `${outcome}, at ${revision}`).toContain(there)
        if (record !== undefined) expectWhole(record.label, there)
        return there
      }
    }
  }

  /** The same with an entry, whose value says which write it is of. */
  async function writeEntries(store: StateStore, key: string, from: number, goOn: () => boolean): Promise<() => Promise<number>> {
    let version = (await store.get('n', key).catch(() => undefined))?.version ?? 'absent'
    for (let number = from + 1; ; number++) {
      const outcome = await outcomeOf(
        store.put('n', key, bytesOf(number), { expected: version, due: number }).then((written) => (version = written)),
      )
      tally[outcome]++
      if (outcome === 'written' && goOn()) continue
      return async () => {
        const entry = (await open(60_000).stateStore.due('n', Number.MAX_SAFE_INTEGER, 100)).find((one) => one.key === key)
        const there = entry?.due ?? 0
        expect(possible(outcome, number), `${outcome}, at ${number}`).toContain(there)
        if (entry !== undefined) expectWhole(entry.value, there)
        return there
      }
    }
  }

  test(
    `${KILLS} kills of the server in the midst of writes`,
    async () => {
      const revisions = Array.from({ length: LANES }, () => 0)
      const numbers = Array.from({ length: LANES }, () => 0)
      for (let kill = 0; kill < KILLS; kill++) {
        let back = false
        const goOn = (): boolean => !back
        // Half of them give up before the server is back; for the others the driver sends again what was under way.
        const lanes = Array.from({ length: LANES }, (_, i) => ({ i, ...open(i % 2 === 0 ? 1500 : 60_000) }))
        const writing = lanes.flatMap(({ i, keyStore, stateStore }) => [
          writeRecords(keyStore, reference(9, i), revisions[i] as number, goOn).then(
            (look) => async () => void (revisions[i] = await look()),
          ),
          writeEntries(stateStore, `lane ${i}`, numbers[i] as number, goOn).then((look) => async () => void (numbers[i] = await look())),
        ])
        await pause(1000 + Math.random() * 500)
        await server.kill()
        await pause(2000)
        await server.start()
        await pause(500)
        back = true
        for (const look of await Promise.all(writing)) await look()
      }
      console.log(`${KILLS} kills of the server: ${JSON.stringify(tally)}`)
      expect(tally.written).toBeGreaterThan(50)
      expect(tally.unknown).toBeGreaterThan(0)
    },
    600_000 + KILLS * 120_000,
  )

  test('and no key is left that later refuses', async () => {
    const provider = memoryKeyProvider()
    const options = (timeout: number) => {
      const client = new MongoClient(server.uri, { serverSelectionTimeoutMS: timeout })
      const [keys, state] = [client.db(`${database}-keys`), client.db(`${database}-state`)]
      return {
        keyProviders: { eu: provider },
        defaultRegion: 'eu',
        keyStore: mongoKeyStore({ db: keys, timeout }),
        stateStore: mongoStateStore({ db: state, timeout }),
        close: () => client.close(),
      }
    }
    const once = options(60_000)
    await initVault(once)
    await once.close()
    const vault = await openVault(options(1500))
    await vault.tenants.create('acme')
    const person = (of: Vault, lane: number, n: number) => of.tenant('acme').subject(`${lane}-${n}`)
    const stored: { readonly lane: number; readonly n: number; readonly value: Uint8Array }[] = []
    const failed: { readonly lane: number; readonly n: number; readonly what: 'encrypt' | 'shred' }[] = []
    const shredded: { readonly lane: number; readonly n: number }[] = []
    const working = Array.from({ length: LANES }, async (_, lane) => {
      for (let n = 0; ; n++) {
        let what: 'encrypt' | 'shred' = 'encrypt'
        try {
          stored.push({ lane, n, value: await person(vault, lane, n).encrypt(email, `${lane}-${n}`) })
          what = 'shred'
          if (n % 3 === 0) {
            await person(vault, lane, n).shred()
            shredded.push({ lane, n })
          }
        } catch (error) {
          expect((error as StrongroomError).code).toMatch(/^(key|state)_store_unavailable$/)
          failed.push({ lane, n, what })
          return
        }
      }
    })
    // In the midst of it, however slow the machine is; and not for ever, where all lanes have ended.
    const lanes = { ended: false }
    const all = Promise.all(working).finally(() => (lanes.ended = true))
    while (!lanes.ended && (stored.length <= LANES || shredded.length === 0)) await pause(50)
    await server.kill()
    await all
    await vault.close()
    await server.start()

    const again = await openVault(options(60_000))
    for (const { lane, n, what } of failed) {
      if (what === 'encrypt') stored.push({ lane, n, value: await person(again, lane, n).encrypt(email, `${lane}-${n}`) })
      else {
        await person(again, lane, n).shred()
        shredded.push({ lane, n })
      }
    }
    const isShredded = (lane: number, n: number): boolean => shredded.some((one) => one.lane === lane && one.n === n)
    for (const { lane, n, value } of stored) {
      const said = await person(again, lane, n)
        .decrypt(email, value as never)
        .catch(({ code }: StrongroomError) => code)
      expect(said).toBe(isShredded(lane, n) ? 'shredded' : `${lane}-${n}`)
    }
    const damaged: unknown[] = []
    for await (const finding of again.verifyKeys()) if (finding.problem.endsWith('does_not_open')) damaged.push(finding)
    expect(damaged).toEqual([])
    expect([failed.length, stored.length > LANES, shredded.length > 0]).toEqual([LANES, true, true])
    await again.close()
  }, 300_000)
})
