// The process that these tests fork: it does what its parent tells it, any number of tasks at once, and stands still at the points
// that its parent names: failpoints, and calls of a store or of the key provider.
import { field, initVault, openVault, readEpochMarker } from '@strongroom/core'
import { withFailpoints } from '@strongroom/core/testing'
import { localKeyProvider } from '@strongroom/kms-local'
import { z } from 'zod'

import { nextWrappingKeyId, VAULT_REF } from '#core/format/reference.js'
import { KeyTree } from '#core/keys/key-tree.js'
import { Ledger, LEDGER_START } from '#core/keys/ledger.js'
import { Providers } from '#core/keys/providers.js'
import { LEDGER_STEP } from '#core/vault/init-vault.js'

import { openStores } from '../stores/open-stores.mjs'

const FIELD = field('people', 'email', z.string())
const REGION = 'eu'
const rawKey = new Uint8Array(32).fill(7)
const hex = (bytes) => Buffer.from(bytes).toString('hex')

// Points at which whoever arrives waits, each until it is released.
const gates = new Map()
// Failpoints one after the other, each told to the parent, who says when to go on.
let tour

async function pass(point) {
  if (tour !== undefined && !point.includes(' ')) await tour.stop(point)
  const gate = gates.get(point)
  if (gate === undefined || gate.skip-- > 0) return
  await new Promise((resolve) => {
    gate.waiting.push(resolve)
    gate.arrived()
  })
}

class Tour {
  #stops = []
  #ended = false
  #changed = () => undefined
  #current

  constructor(work) {
    this.result = work().finally(() => {
      this.#ended = true
      this.#changed()
    })
    this.result.catch(() => undefined)
  }

  stop(point) {
    return new Promise((goOn) => {
      this.#stops.push({ point, goOn })
      this.#changed()
    })
  }

  /** Lets go of the last stop. The point of the next; undefined at the end. */
  async next() {
    this.#current?.goOn()
    this.#current = undefined
    while (this.#stops.length === 0 && !this.#ended) await new Promise((resolve) => (this.#changed = resolve))
    this.#current = this.#stops.shift()
    if (this.#current === undefined) await this.result
    return this.#current?.point
  }
}

// A clock that can be set, and that can stand still: a process that was read at one instant, and stays within the cache bound of it.
const real = { now: () => Date.now(), monotonic: () => performance.now() }
let ahead = 0
let still
const clock = {
  now: () => (still?.now ?? real.now()) + ahead,
  monotonic: () => still?.monotonic ?? real.monotonic(),
}

function watched(name, port, methods) {
  // Without news of changes: what a process knows is as old as the test makes it.
  const { watch: _, ...out } = port
  for (const method of methods) {
    out[method] = async (...args) => {
      const [what] = args
      const types = new Set([what].flat().flatMap((each) => each?.type ?? []))
      const type = types.size === 0 ? '' : ` ${[...types].join(' ')}`
      await pass(`before ${name}.${method}${type}`)
      const answer = await port[method](...args)
      await pass(`after ${name}.${method}${type}`)
      return answer
    }
  }
  return out
}

let rotatesItself = false
// As a cloud does whose keys are rotated by a schedule: nobody of ours has asked for the new version.
function rotating(provider) {
  return {
    ...provider,
    async wrap(...args) {
      if (rotatesItself) {
        rotatesItself = false
        await provider.createVersion(Math.max(...(await provider.versions()).map(({ number }) => number)) + 1)
      }
      return provider.wrap(...args)
    },
  }
}

let vault
let parts

async function options({ directory, roots, vaultOptions = {} }) {
  const stores = await openStores(directory)
  try {
    const provider = await localKeyProvider({ file: roots[REGION], rawKey, region: REGION, copiesLife: 0 })
    parts = {
      keyProviders: {
        [REGION]: watched('provider', rotating(provider), ['versions', 'wrap', 'unwrap', 'createVersion', 'destroyVersion']),
      },
      defaultRegion: REGION,
      keyStore: watched('keys', stores.keyStore, ['get', 'put', 'scan']),
      stateStore: watched('state', stores.stateStore, ['get', 'put', 'scan']),
      close: stores.close,
      clock,
      ...vaultOptions,
    }
    return withFailpoints(parts, pass)
  } catch (error) {
    await stores.close()
    throw error
  }
}

function at({ tenant, subject, item }) {
  let handle = vault.tenant(tenant)
  if (subject !== undefined) handle = handle.subject(subject)
  return item === undefined ? handle : handle.item(item)
}

// Iterated to its end: the phases, in their order.
async function drain(progress) {
  const phases = []
  for await (const { phase } of progress) if (phases.at(-1) !== phase) phases.push(phase)
  return phases
}

async function ledger() {
  const [{ vaultId, cacheBound }] = await parts.keyStore.get([{ type: 'vault' }])
  const context = { ...parts, vaultId, cacheBound, providers: new Providers(parts.keyProviders, 10_000), failpoint: () => undefined }
  const tree = new KeyTree(context, { maxAge: 60_000, maxNodes: 10, maxTenants: 2 })
  const key = async () => {
    const path = await tree.open(VAULT_REF, [LEDGER_STEP], false)
    return path.nodes[0].versions.at(-1).serviceKey('ledger')
  }
  const entries = []
  for await (const { op, rootVersion } of new Ledger(context, key).after(LEDGER_START))
    entries.push({ op, number: rootVersion.number, id: hex(rootVersion.id) })
  tree.close()
  return entries
}

const tasks = {
  hold({ point, skip = 0 }) {
    gates.set(point, { skip, waiting: [], arrived: () => undefined })
  },
  async reached({ point, count = 1 }) {
    const gate = gates.get(point)
    while (gate.waiting.length < count) await new Promise((resolve) => (gate.arrived = resolve))
  },
  // All that wait there; whoever comes later passes.
  release({ point }) {
    const { waiting } = gates.get(point)
    gates.delete(point)
    for (const goOn of waiting) goOn()
  },
  // Whoever came first; whoever comes later still waits.
  releaseOne: ({ point }) => gates.get(point).waiting.shift()(),

  tour({ task, args }) {
    tour = new Tour(async () => tasks[task](args))
  },
  async next() {
    const point = await tour.next()
    if (point === undefined) tour = undefined
    return point
  },

  jump: ({ ms }) => void (ahead += ms),
  freeze: () => void (still = { now: real.now(), monotonic: real.monotonic() }),
  thaw: () => void (still = undefined),
  // Longer than a waiting process sleeps at once.
  pause: () => new Promise((resolve) => setTimeout(resolve, 60)),
  rotateItself: () => void (rotatesItself = true),

  // Initialising and opening never leave the stores open when they fail.
  async init(how) {
    const given = await options(how)
    try {
      await initVault(given)
    } finally {
      await given.close()
    }
  },
  async open(how) {
    const given = await options(how)
    try {
      vault = await openVault(given)
    } catch (error) {
      await given.close()
      throw error
    }
  },
  // For the next vault, as if it had just been started.
  async reset() {
    await vault?.close()
    vault = undefined
    gates.clear()
    tour = undefined
    ahead = 0
    still = undefined
    rotatesItself = false
  },

  create: async ({ tenant }) => void (await vault.tenants.create(tenant)),
  encrypt: ({ place, value }) => at(place).encrypt(FIELD, value),
  async decryptAll({ all }) {
    return Promise.all(
      all.map(({ place, stored }) =>
        at(place)
          .decrypt(FIELD, stored)
          .then(
            (value) => ({ value }),
            (error) => ({ code: error.code ?? String(error.stack) }),
          ),
      ),
    )
  },
  shred: ({ place }) => at(place).shred(),
  recreate: ({ place }) => at(place).recreate({ reason: 'operator' }),
  async shredMany({ tenant, subjects }) {
    const all = []
    for await (const shredded of vault.tenant(tenant).shredMany(subjects)) all.push(shredded)
    return all
  },
  suspend: ({ place }) => at(place).suspend(),
  resume: ({ place }) => at(place).resume(),

  rotateRoot: ({ concurrency } = {}) => drain(vault.rotateRootKey({ concurrency })),
  rotateTenant: ({ tenant }) => drain(vault.rotateTenantKey(vault.tenant(tenant))),
  rotateSubject: ({ place }) => drain(vault.rotateSubjectKey(at(place))),
  // Whoever holds the data says that there is none left of the old versions.
  retire({ place }) {
    const countValues = async () => {
      await pass('before countValues')
      return 0
    }
    return drain(vault.retireVersion(at(place), { holders: [{ countValues }], dataBackup: { startedAt: clock.now() } }))
  },
  closeEpoch: ({ backup } = {}) =>
    drain(vault.closeEpoch(backup === undefined ? { dangerouslyWithoutBackup: true } : { backup, rootBackup: true })),
  // Of a copy of the key store, opened on its own.
  marker: ({ directory }) => withKeyStore(directory, (keyStore) => readEpochMarker({ keyStore, region: REGION })),

  ledger,
  // What the key store holds, as far as the tests look at it, and the versions that the provider lists.
  async state() {
    const [{ vaultId }, region] = await parts.keyStore.get([{ type: 'vault' }, { type: 'region', region: REGION }])
    const nodes = await parts.keyStore.scan({ type: 'node', limit: 1000 })
    const wrappingKeys = await parts.keyStore.scan({ type: 'wrapping-key', limit: 1000 })
    const versions = await parts.keyProviders[REGION].versions()
    return {
      marker: region.epoch && hex(region.epoch.marker),
      rotatedTo: region.epoch?.rootVersion,
      rootVersions: versions.map(({ number, state }) => ({ number, state })),
      wrappingKeys: wrappingKeys.map(({ id, tenantRef, created }) => ({
        id: hex(id),
        next: hex(nextWrappingKeyId(vaultId, id)),
        tenantRef: hex(tenantRef),
        created,
      })),
      nodes: nodes.map(({ tenantRef, versions: all }) => ({
        tenantRef: hex(tenantRef),
        wrappingKeys: all.filter(({ wrap }) => wrap !== undefined).map(({ wrappingKeyId }) => hex(wrappingKeyId)),
      })),
    }
  },

  // What whoever has several backups can do: the wrapping keys of one beside the nodes of another.
  async wrappingKeysBeside({ from, directory }) {
    const wrappingKeys = await withKeyStore(from, (keyStore) => keyStore.scan({ type: 'wrapping-key', limit: 1000 }))
    await withKeyStore(directory, async (keyStore) => {
      for (const record of wrappingKeys) {
        const [there] = await keyStore.get([{ type: 'wrapping-key', id: record.id }])
        await keyStore.put({ ...record, revision: (there?.revision ?? 0) + 1 })
      }
    })
  },
}

async function withKeyStore(directory, use) {
  const { keyStore, close } = await openStores(directory)
  try {
    return await use(keyStore)
  } finally {
    await close()
  }
}

process.on('message', ({ id, task, args }) => {
  Promise.resolve()
    .then(() => tasks[task](args))
    .then(
      (result) => process.send({ id, result }),
      (error) =>
        process.send({ id, error: { code: error.code, message: `${error.message}${error.code === undefined ? ` ${error.stack}` : ''}` } }),
    )
})
process.on('disconnect', () => process.exit())
