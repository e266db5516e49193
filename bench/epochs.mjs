// Shredding and rotation: what is flat, what grows with what, and how fast.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { field, initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { z } from 'zod'

const WORKER = fileURLToPath(new URL('epochs-worker.mjs', import.meta.url))
const email = field('users', 'email', z.string())
const rawKey = new Uint8Array(32).fill(7)
const AT_ONCE = 500
const BOUND = 1000

/** One shred of a subject with few and with many items beneath it, on both kinds of store. */
export async function flatShred(items) {
  const rows = []
  for (const [name, open] of STORES) {
    for (const count of items) {
      const world = await open()
      const subject = world.vault.tenant('bench').subject('s')
      await make(count, (i) => subject.item(`i${i}`))
      // One shred before: the memory store puts new names in order when it is first asked for them.
      await world.vault.tenant('bench').subject('before').shred()
      world.reset()
      const start = performance.now()
      await subject.shred()
      rows.push({ name, items: count, ms: performance.now() - start, ...world.counts() })
      await world.close()
    }
  }
  return rows
}

/** Subjects of one tenant, shredded by several processes at once with `shredMany`, and some one by one. */
export async function manyShreds(subjects, processes, alone) {
  const world = await lmdb()
  await make(subjects + alone, (i) => world.vault.tenant('bench').subject(`s${i}`))
  await world.vault.receiptKeys()
  const workers = await startWorkers(processes, world)
  const start = performance.now()
  const pages = await Promise.all(
    workers.map((worker, p) => run(worker, { task: 'shredMany', from: p * (subjects / processes), to: (p + 1) * (subjects / processes) })),
  )
  const together = (performance.now() - start) / 1000
  await Promise.all(workers.map((worker) => run(worker, { task: 'end' })))
  const startAlone = performance.now()
  for (let i = subjects; i < subjects + alone; i++) await world.vault.tenant('bench').subject(`s${i}`).shred()
  const oneByOne = (performance.now() - startAlone) / 1000
  await world.close()
  return {
    subjects,
    processes,
    together: subjects / together,
    oneByOne: alone / oneByOne,
    statePuts: pages.reduce((sum, { put }) => sum + put, 0),
  }
}

/** Keys wrapped anew in a second of processor time, on both kinds of store. */
export async function rewrapRates(nodes) {
  const rows = []
  for (const [name, open] of STORES) {
    const world = await open()
    const tenant = world.vault.tenant('bench')
    await make(nodes, (i) => tenant.subject(`s${i}`))
    const rates = []
    for (let round = 0; round < 3; round++) rates.push(await timed(world.vault.rotateTenantKey(tenant), nodes))
    rates.sort((a, b) => a.cpu - b.cpu)
    rows.push({ name, nodes, ...rates[1] })
    await world.close()
  }
  return rows
}

/** Calls of provider and stores in one rotation of a region, by how many subjects each tenant has and whether it had a shred. */
export async function rotationCalls(tenants, subjects) {
  const rows = []
  for (const shredded of [false, true]) {
    for (const count of subjects) {
      const world = await memory()
      for (let t = 0; t < tenants; t++) {
        await world.vault.tenants.create(`t${t}`)
        await make(count, (i) => world.vault.tenant(`t${t}`).subject(`s${i}`))
        if (shredded) await world.vault.tenant(`t${t}`).subject('s0').shred()
      }
      world.reset()
      for await (const progress of world.vault.rotateRootKey()) void progress
      rows.push({ tenants, subjects: count, shredded, ...world.counts() })
      await world.close()
    }
  }
  return rows
}

/** A large tenant in lmdb, rotated once: speed, and memory while it goes on. */
export async function largeRotation(subjects) {
  const world = await lmdb()
  const workers = await startWorkers(2, world)
  await Promise.all(workers.map((worker, p) => run(worker, { task: 'make', from: (p * subjects) / 2, to: ((p + 1) * subjects) / 2 })))
  // The rotation runs in a process of its own, so that its memory is its own.
  const [runner] = workers
  await run(workers[1], { task: 'end' })
  const result = await run(runner, { task: 'rotate' })
  await run(runner, { task: 'end' })
  await world.close()
  return { subjects, ...result }
}

const STORES = [
  ['memory', memory],
  ['lmdb', lmdb],
]

async function memory() {
  const provider = memoryKeyProvider()
  const stores = { keyStore: memoryKeyStore(), stateStore: memoryStateStore() }
  const options = { keyProviders: { eu: provider }, defaultRegion: 'eu', ...stores }
  return makeWorld(options, {
    counts: () => ({
      provider: Object.values(provider.calls).reduce((a, b) => a + b, 0),
      get: stores.keyStore.calls.get,
      put: stores.keyStore.calls.put,
      scan: stores.keyStore.calls.scan,
    }),
    clean: async () => undefined,
  })
}

async function lmdb() {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
  const file = join(folder, 'root.key')
  await createLocalKeyFile({ file, rawKey, region: 'eu' })
  const stores = localStores({ directory: join(folder, 'vault') })
  const calls = { provider: 0, get: 0, put: 0, scan: 0 }
  const counting = (target, names, count) =>
    Object.fromEntries(names.map((name) => [name, (...args) => (count(name), target[name](...args))]))
  const provider = await localKeyProvider({ file, rawKey, copiesLife: 0 })
  const options = {
    keyProviders: { eu: counting(provider, ['versions', 'wrap', 'unwrap', 'createVersion', 'destroyVersion'], () => calls.provider++) },
    defaultRegion: 'eu',
    ...stores,
    keyStore: counting(stores.keyStore, ['get', 'put', 'scan'], (name) => calls[name]++),
  }
  return {
    ...(await makeWorld(options, {
      counts: () => ({ ...calls }),
      clean: async () => rmSync(folder, { recursive: true, force: true }),
    })),
    folder,
  }
}

async function makeWorld(options, { counts, clean }) {
  await initVault({ ...options, cacheBound: BOUND })
  const vault = await openVault(options)
  await vault.tenants.create('bench')
  let before = counts()
  return {
    vault,
    reset: () => (before = counts()),
    counts: () => Object.fromEntries(Object.entries(counts()).map(([name, count]) => [name, count - before[name]])),
    async close() {
      await vault.close()
      await clean()
    },
  }
}

/** Makes keys by encrypting with them. */
export async function make(count, at, from = 0) {
  for (let i = from; i < from + count; i += AT_ONCE) {
    const many = Math.min(AT_ONCE, from + count - i)
    await Promise.all(Array.from({ length: many }, (_, j) => at(i + j).encrypt(email, 'ada@example.com')))
  }
}

/** Runs an operation; the time is that of its phase `rewrapping`. */
export async function timed(operation, nodes) {
  let [wall, cpu] = [0, 0]
  let [lastWall, lastCpu] = [performance.now(), cpuMs()]
  for await (const { phase } of operation) {
    const [nowWall, nowCpu] = [performance.now(), cpuMs()]
    if (phase === 'rewrapping') [wall, cpu] = [wall + nowWall - lastWall, cpu + nowCpu - lastCpu]
    ;[lastWall, lastCpu] = [nowWall, nowCpu]
  }
  return { wall: (nodes / wall) * 1000, cpu: (nodes / cpu) * 1000 }
}

function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function startWorkers(count, { folder }) {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const worker = fork(WORKER, [folder])
      await new Promise((resolve) => worker.once('message', resolve))
      return worker
    }),
  )
}

function run(worker, message) {
  return new Promise((resolve, reject) => {
    worker.once('exit', (code) => (code === 0 ? resolve(undefined) : reject(new Error(`a worker ended with ${code}`))))
    worker.once('message', resolve)
    worker.send(message)
  })
}
