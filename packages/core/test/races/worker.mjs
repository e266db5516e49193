// The process that these tests fork: it does what its parent tells it, one task a message, any number at once.
import { KeyState, NodeKind, field, initVault, openVault, systemClock } from '@strongroom/core'
import { downProvider, slowProvider, throttledProvider, wrongRegionProvider } from '@strongroom/core/testing'
import { localKeyProvider } from '@strongroom/kms-local'
import { z } from 'zod'

import { childWrapKey } from '#core/format/derivations.js'
import { wrapNode } from '#core/format/node-wrap.js'
import { KeyTree } from '#core/keys/key-tree.js'
import { textStep } from '#core/keys/known-refs.js'
import { Providers } from '#core/keys/providers.js'

import { openStores } from '../stores/open-stores.mjs'

const FIELD = field('people', 'email', z.string())
const rawKey = new Uint8Array(32).fill(7)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const codeOf = (error) => error.code ?? String(error.stack)

const calls = {
  'keys.get': 0,
  'keys asked for': 0,
  'keys.put': 0,
  'keys.scan': 0,
  'state.get': 0,
  'state.put': 0,
  'state.delete': 0,
  'state.scan': 0,
  'state.due': 0,
  wrap: 0,
  unwrap: 0,
  versions: 0,
}
const WRITES = new Set(['keys.put', 'state.put', 'state.delete'])

// What happens around each call of a store: counted, held back, or the end of this process.
let doom
const holds = new Map()

function watched(prefix, store, methods) {
  // News of changes would be further reads, which the tests count.
  const { watch: _, ...out } = store
  for (const method of methods) {
    out[method] = async (...args) => {
      const name = `${prefix}.${method}`
      calls[name]++
      if (name === 'keys.get') calls['keys asked for'] += args[0].length
      const fatal = doom !== undefined && (doom.at === 'calls' || WRITES.has(name)) && ++doom.seen === doom.k ? doom.when : undefined
      if (fatal === 'before') process.kill(process.pid, 'SIGKILL')
      await held(name, args[0])
      const answer = store[method](...args)
      if (fatal === 'during') {
        await Promise.resolve()
        process.kill(process.pid, 'SIGKILL')
      }
      const result = await answer
      if (fatal === 'after') process.kill(process.pid, 'SIGKILL')
      return result
    }
  }
  return out
}

async function held(call, record) {
  for (const [name, hold] of holds) {
    if (
      hold.call !== call ||
      (hold.type !== undefined && record?.type !== hold.type) ||
      (hold.kind !== undefined && record?.kind !== hold.kind)
    )
      continue
    if (hold.waiting) continue
    hold.waiting = true
    hold.arrived()
    await hold.released
    holds.delete(name)
  }
}

let down
async function provider({ file, region, fault }) {
  if (fault?.kind === 'other-root') file = fault.file
  const local = await localKeyProvider({ file, rawKey, region })
  const counted = {
    ...local,
    wrap: (...args) => (calls.wrap++, local.wrap(...args)),
    unwrap: (...args) => (calls.unwrap++, local.unwrap(...args)),
    versions: (...args) => (calls.versions++, local.versions(...args)),
  }
  if (fault?.kind === 'slow') return slowProvider(counted, { delay: fault.delay })
  if (fault?.kind === 'down') return (down = downProvider(counted))
  if (fault?.kind === 'throttled') return throttledProvider(counted, fault)
  if (fault?.kind === 'wrong-region') return wrongRegionProvider(counted, 'elsewhere')
  return counted
}

// One vault at a time: each folder that a process opens is a fresh one for it, or closed before.
let vault
let parts
let kept
const leases = new Map()
const observed = new Map()

async function options({ directory, roots, faults = {}, vaultOptions = {} }) {
  const keyProviders = {}
  for (const [region, file] of Object.entries(roots)) keyProviders[region] = await provider({ file, fault: faults[region] })
  const stores = await openStores(directory)
  parts = {
    keyProviders,
    defaultRegion: 'eu',
    keyStore: watched('keys', stores.keyStore, ['get', 'put', 'scan']),
    stateStore: watched('state', stores.stateStore, ['get', 'put', 'delete', 'due', 'scan']),
    close: stores.close,
    ...vaultOptions,
  }
  return parts
}

function at({ tenant, subject, item }) {
  let handle = vault.tenant(tenant)
  if (subject !== undefined) handle = handle.subject(subject)
  return item === undefined ? handle : handle.item(item)
}

const tasks = {
  ready: () => undefined,

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
  async close() {
    await vault.close()
    vault = undefined
  },

  create: async ({ tenant, region }) => void (await vault.tenants.create(tenant, region && { region })),
  tenants: async () => {
    const all = []
    for await (const info of vault.tenants.list()) all.push(info)
    return all
  },
  encrypt: ({ place, value }) => at(place).encrypt(FIELD, value),
  decrypt: ({ place, stored }) => at(place).decrypt(FIELD, stored),
  shred: ({ place }) => at(place).shred(),
  suspend: async ({ place }) => void (await at(place).suspend()),
  resume: async ({ place }) => void (await at(place).resume()),
  reconcile: () => vault.reconcile(),

  async encryptMany({ place, values }) {
    const keys = await at(place).unlock()
    return values.map((value) => keys.encrypt(FIELD, value))
  },
  // All at once, and what each said: the value, or the code of its refusal.
  async decryptAll({ all }) {
    return Promise.all(
      all.map(({ place, stored }) =>
        at(place)
          .decrypt(FIELD, stored)
          .then(
            (value) => ({ value }),
            (error) => ({ code: codeOf(error) }),
          ),
      ),
    )
  },

  calls: () => ({ ...calls }),
  down: ({ isDown }) => void (down.isDown = isDown),

  // The next call that matches waits until it is released; `held` resolves when it has come.
  hold({ name, call, type, kind }) {
    const hold = { call, type, kind, waiting: false }
    hold.came = new Promise((resolve) => (hold.arrived = resolve))
    hold.released = new Promise((resolve) => (hold.release = resolve))
    holds.set(name, hold)
  },
  held: ({ name }) => holds.get(name).came,
  release: ({ name }) => holds.get(name).release(),

  // Does a task, and dies at its k-th write or call. Answers only if there were fewer.
  async doomed({ task, args, doom: how }) {
    doom = { ...how, seen: 0 }
    await tasks[task](args)
    const { seen } = doom
    doom = undefined
    return seen
  },

  // The raw records, without byte fields that tests do not look at.
  async records() {
    const nodes = await parts.keyStore.scan({ type: 'node', limit: 10_000 })
    const wrappingKeys = await parts.keyStore.scan({ type: 'wrapping-key', limit: 10_000 })
    return {
      nodes: nodes.map(({ ref, kind, parentRef, tenantRef, revision, versions }) => ({
        ref: hex(ref),
        kind,
        parentRef: hex(parentRef),
        tenantRef: hex(tenantRef),
        revision,
        states: versions.map(({ state }) => state),
      })),
      wrappingKeys: wrappingKeys.map(({ id, tenantRef, marked, state }) => ({ id: hex(id), tenantRef: hex(tenantRef), marked, state })),
    }
  },

  // What an operator can do by hand with a copy: put single records back, over newer ones.
  async keep({ kind }) {
    kept = (await parts.keyStore.scan({ type: 'node', limit: 10_000 })).filter((node) => node.kind === kind)
  },
  async putBack() {
    for (const node of kept) {
      const [stored] = await parts.keyStore.get([{ type: 'node', ref: node.ref }])
      await parts.keyStore.put({ ...node, revision: stored.revision + 1 })
    }
  },

  // Nothing deactivates a key yet but rotation, which is to come: wrapped anew under that state, as rotation will do.
  async deactivate({ place }) {
    const [record] = await parts.keyStore.get([{ type: 'vault' }])
    const context = {
      vaultId: record.vaultId,
      clock: systemClock,
      keyStore: parts.keyStore,
      stateStore: parts.stateStore,
      providers: new Providers(parts.keyProviders, 10_000),
    }
    const tree = new KeyTree(context, { maxAge: 60_000, maxNodes: 100, maxTenants: 10 })
    const step = textStep
    const root = await tree.vault()
    const { ref: tenantRef } = root.refTo(root.tenants, step(NodeKind.tenant, place.tenant))
    const steps = []
    if (place.subject !== undefined) steps.push(step(NodeKind.subject, place.subject))
    if (place.item !== undefined) steps.push(step(NodeKind.item, place.item))
    const { tenant, nodes } = await tree.open(tenantRef, steps, false)
    const path = [tenant.node, ...nodes]
    const node = path.at(-1)
    const [live] = node.record.versions
    const wrappingKey = await tenant.wrappingKey(live.wrappingKeyId)
    const key = path.length === 1 ? childWrapKey(wrappingKey, undefined) : path.at(-2).active.wrapKey(live.wrappingKeyId, wrappingKey)
    const version = { ...live, state: KeyState.deactivated }
    const wrap = wrapNode(key, record.vaultId, { ...node.record, ...version }, node.versions[0].secretForWrapping())
    await parts.keyStore.put({ ...node.record, revision: node.record.revision + 1, versions: [{ ...version, wrap }] })
    tree.clear()
  },

  unlock: async ({ place, name }) => void leases.set(name, await at(place).unlock()),

  // Uses a key over and over. `acknowledged` is when this process hears that another one has finished: from then on its own
  // clock counts. Ends when the bound has passed since, and 25 calls more.
  observe({ name, use, place, stored, bound }) {
    const call = {
      decrypt: () => at(place).decrypt(FIELD, stored),
      encrypt: () => at(place).encrypt(FIELD, 'again@example.com'),
      unlock: () => at(place).unlock(),
      lease: async () => leases.get(name).decrypt(FIELD, stored),
    }[use]
    const run = { outcomes: [], acknowledgedAt: undefined }
    run.ended = (async () => {
      let after = 0
      const deadline = performance.now() + 60_000
      while (after < 25 && performance.now() < deadline) {
        const began = performance.now()
        const outcome = await call().then(() => 'ok', codeOf)
        const phase = run.acknowledgedAt === undefined ? 'before' : began - run.acknowledgedAt >= bound ? 'after' : 'within'
        run.outcomes.push({ phase, outcome })
        if (phase === 'after') after++
        await sleep(phase === 'after' ? 2 : 10)
      }
    })()
    observed.set(name, run)
  },
  seen: ({ name }) => observed.get(name).outcomes.length,
  acknowledged: ({ name }) => void (observed.get(name).acknowledgedAt = performance.now()),
  async outcomes({ name }) {
    await observed.get(name).ended
    return observed.get(name).outcomes
  },

  // Works until it is killed. Says what it is about to do, and what it has done.
  async churn({ tenant, seed, subjects, prefix }) {
    const random = mulberry32(seed)
    const pick = (list) => list[Math.floor(random() * list.length)]
    const live = subjects.filter(({ state }) => state === 'live').map(({ subject }) => subject)
    const suspended = subjects.filter(({ state }) => state === 'suspended').map(({ subject }) => subject)
    const take = (list) => list.splice(list.indexOf(pick(list)), 1)[0]
    for (let n = 0; ; n++) {
      const dice = random()
      if (dice < 0.4 || live.length + suspended.length === 0) {
        const subject = `${prefix}-${n}`
        const stored = await at({ tenant, subject }).encrypt(FIELD, `${subject}@example.com`)
        await say({ did: 'encrypt', subject, stored })
        live.push(subject)
      } else if (dice < 0.6) {
        const subject = take(pick([live, suspended].filter(({ length }) => length > 0)))
        await say({ will: 'shred', subject })
        await at({ tenant, subject }).shred()
        await say({ did: 'shred', subject })
      } else if (dice < 0.8 && live.length > 0) {
        const subject = take(live)
        await say({ will: 'suspend', subject })
        await at({ tenant, subject }).suspend()
        await say({ did: 'suspend', subject })
        suspended.push(subject)
      } else if (suspended.length > 0) {
        const subject = take(suspended)
        await say({ will: 'resume', subject })
        await at({ tenant, subject }).resume()
        await say({ did: 'resume', subject })
        live.push(subject)
      }
    }
  },

  // Does each in turn and says how it ended.
  async sequence({ steps }) {
    const outcomes = []
    for (const { task, args } of steps) outcomes.push(await Promise.resolve(tasks[task](args)).then(() => 'ok', codeOf))
    return outcomes
  },
}

function mulberry32(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

// Resolves once the message is in the pipe, from which the parent reads it whether this process lives or not.
function say(event) {
  return new Promise((resolve, reject) => process.send({ event }, (error) => (error ? reject(error) : resolve())))
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
