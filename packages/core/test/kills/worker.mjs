// The process that these tests fork and kill: a runner of operations, a writer, or the one that checks what they left.
import { equalBytes, field, initVault, KeyState, openVault } from '@strongroom/core'
import { withFailpoints } from '@strongroom/core/testing'
import { localKeyProvider } from '@strongroom/kms-local'
import { z } from 'zod'

import { openStores } from '../stores/open-stores.mjs'

const FIELD = field('people', 'email', z.string())
const CONTEXT = 'people'
// Few at once: what a process leaves half done when it dies is then much, and differs.
const CONCURRENCY = 2
const HARMLESS = new Set(['wrapping_key_without_tenant', 'wrapping_key_outdated', 'version_unreferenced'])
const rawKey = new Uint8Array(32).fill(7)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const hex = (bytes) => Buffer.from(bytes).toString('hex')

let vault
let parts

// What this process does at failpoints: say so, wait there until it is released, die there.
let told = []
let hold
let doom
// In one phase the stores are as slow as if they were far away: it then takes so long that a kill comes in the midst of it.
let slow
let phase
const SLOW_MS = 3
const PROVIDER_MS = 5
const MOST_TRIES = 10
const LANES = 8

async function reached(name) {
  if (doom?.at === name && --doom.passings === 0) process.kill(process.pid, 'SIGKILL')
  if (hold?.at === name) {
    await say({ held: name })
    await hold.released
  }
  if (told.some((prefix) => name.startsWith(prefix))) await enter(name)
}

function enter(name) {
  phase = name
  return say({ phase })
}

async function dawdle() {
  if (slow !== undefined && phase === slow) await sleep(Math.random() * SLOW_MS)
}

// Slow before a call has its effect, and after it.
function slowly(store) {
  const out = {}
  for (const [name, call] of Object.entries(store)) {
    if (name === 'watch') out.watch = call
    else
      out[name] = async (...args) => {
        await dawdle()
        const answer = await call(...args)
        await dawdle()
        return answer
      }
  }
  return out
}

// A service that is asked over a network: keys age out, and processes die, while it is waited for.
async function provider(file) {
  const local = await localKeyProvider({ file, rawKey, region: 'eu', copiesLife: 0 })
  const unwrap = async (...args) => {
    await sleep(Math.random() * PROVIDER_MS)
    return local.unwrap(...args)
  }
  return { ...local, unwrap }
}

async function options({ directory, file, cacheBound }) {
  const stores = await openStores(directory)
  parts = {
    keyProviders: { eu: await provider(file) },
    defaultRegion: 'eu',
    keyStore: slowly(stores.keyStore),
    stateStore: slowly(stores.stateStore),
    close: stores.close,
    ...(cacheBound === undefined ? {} : { cacheBound }),
  }
  return parts
}

function at({ tenant, subject, item }) {
  let handle = vault.tenant(tenant)
  if (subject !== undefined) handle = handle.subject(subject)
  return item === undefined ? handle : handle.item(item)
}

// Counts for real: the stored values that only the retiring version opens.
function holderOf(held) {
  return {
    async countValues(retiring) {
      await dawdle()
      const tag = retiring.valueTag(CONTEXT)
      return held.filter((stored) => equalBytes(stored.subarray(1, 1 + tag.length), tag)).length
    },
  }
}

// Each yields or says its phases. What works on places does one after the other, and repeats what is done already.
const operations = {
  rotateRootKey: () => vault.rotateRootKey({ concurrency: CONCURRENCY }),
  closeEpoch: () => vault.closeEpoch({ dangerouslyWithoutBackup: true, concurrency: CONCURRENCY }),
  rotateTenantKey: ({ places: [place] }) => vault.rotateTenantKey(at(place), { concurrency: CONCURRENCY }),
  rotateSubjectKey: ({ places: [place] }) => vault.rotateSubjectKey(at(place), { concurrency: CONCURRENCY }),
  retireVersion: ({ places: [place], held }) =>
    vault.retireVersion(at(place), {
      holders: [holderOf(held)],
      dataBackup: { startedAt: Date.now() },
      concurrency: CONCURRENCY,
    }),
  shred: ({ places }) => each(places, 'shred', (place) => at(place).shred()),
  async *shredMany({ places }) {
    yield { phase: 'begun' }
    const { tenant } = places[0]
    const subjects = places.map(({ subject }) => subject)
    for await (const { subject } of vault.tenant(tenant).shredMany(subjects)) await say({ did: 'shred', place: { tenant, subject } })
  },
  recreate: ({ places }) =>
    each(places, 'recreate', (place) =>
      // Of two runners one is told that it is done, and so is whoever repeats it.
      at(place).recreate({ reason: 'operator' }).catch(unless('already_exists')),
    ),
  suspend: ({ places }) => each(places, 'suspend', (place) => at(place).suspend()),
  resume: ({ places }) => each(places, 'resume', (place) => at(place).resume()),
}

async function* each(places, did, work) {
  for (const place of places) {
    yield { phase: 'begun' }
    await patiently(() => work(place))
    await say({ did, place })
  }
}

function unless(...codes) {
  return (error) => {
    if (!codes.includes(error.code)) throw error
  }
}

// On a machine that is busy with other things, opening a key may take longer than the cache bound: that is then said, and not kept.
async function patiently(work) {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (error.code !== 'key_store_unavailable' || tries === MOST_TRIES) throw error
    }
  }
}

const tasks = {
  ready: () => undefined,

  async init(how) {
    const given = await options(how)
    await initVault(given)
    await given.close()
  },
  async open(how) {
    const given = await options(how)
    try {
      vault = await openVault(withFailpoints(given, reached))
    } catch (error) {
      await given.close()
      throw error
    }
  },
  async close() {
    await vault?.close()
    vault = undefined
  },

  // Again, where it was begun: that it exists is as good.
  create: async ({ tenant }) => void (await vault.tenants.create(tenant).catch(unless('already_exists'))),
  encrypt: ({ place, value }) => patiently(() => at(place).encrypt(FIELD, value)),

  // Runs an operation to its end, if it is let. `dies`: at this passing of that failpoint. `waits`: at each passing of that one.
  async operate({ operation, tells = [], slows, dies, waits, ...given }) {
    told = tells
    slow = slows
    doom = dies && { ...dies }
    if (waits !== undefined) {
      hold = { at: waits }
      hold.released = new Promise((resolve) => (hold.release = resolve))
    }
    try {
      for await (const { phase: now } of operations[operation](given)) await enter(now)
    } finally {
      told = []
      phase = undefined
      doom = undefined
      hold = undefined
    }
  },
  release: () => void hold?.release(),

  // Begins to move a tenant and stops in the midst of it, as a signal would do it.
  async moveHalf({ tenant, nodes }) {
    const abort = new AbortController()
    let left = nodes
    const stopping = await openVault(
      withFailpoints({ ...parts, close: undefined }, (name) => {
        if (name === 'move.rewrapped' && --left === 0) abort.abort(new Error('half of it is enough'))
      }),
    )
    try {
      for await (const _ of stopping.rotateTenantKey(stopping.tenant(tenant), { signal: abort.signal, concurrency: 1 }));
      throw new Error('the move was to stop')
    } catch (error) {
      if (error !== abort.signal.reason) throw error
    } finally {
      await stopping.close()
    }
  },

  // What each says: the value, or the code of its refusal.
  async read({ values }) {
    const answers = []
    let next = 0
    const lane = async () => {
      while (next < values.length) {
        const i = next++
        const { place, stored } = values[i]
        answers[i] = await patiently(() => at(place).decrypt(FIELD, stored)).then(
          (value) => ({ value }),
          (error) => ({ code: error.code ?? String(error.stack) }),
        )
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    return answers
  },

  // Keys that are damaged. What a killed process never came to use, and what a rotation has yet to move, is none.
  async damaged() {
    const findings = []
    for await (const finding of vault.verifyKeys()) if (!HARMLESS.has(finding.problem)) findings.push(finding)
    return findings
  },

  // What a finished operation leaves in the key store.
  async standing() {
    const [region] = await parts.keyStore.get([{ type: 'region', region: 'eu' }])
    const tops = await parts.keyStore.scan({ type: 'node', parentRef: new Uint8Array(0), limit: 10_000 })
    const living = new Set(
      tops.filter(({ versions }) => versions.some(({ state }) => state !== KeyState.shredded)).map(({ ref }) => hex(ref)),
    )
    const wrappingKeys = await parts.keyStore.scan({ type: 'wrapping-key', limit: 10_000 })
    const retiring = wrappingKeys.filter(({ state, tenantRef }) => state === 'retiring' && living.has(hex(tenantRef)))
    return {
      closing: region.closing,
      epoch: region.epoch?.rootVersion ?? 0,
      versions: region.versions.map(({ number, state, destruction }) => ({ number, state, noted: destruction !== undefined })),
      tenantsMoving: new Set(retiring.map(({ tenantRef }) => hex(tenantRef))).size,
    }
  },

  // Writes until it is told to halt, or killed: says what it is about to do, and what it has done or was refused.
  async write({ seed, places, tenants, prefix, unfinished = [], dies }) {
    const random = mulberry32(seed)
    const pick = (list) => list[Math.floor(random() * list.length)]
    const known = [...places]
    const own = []
    doom = dies && { ...dies }
    writing = true
    const create = async (tenant) => {
      await say({ will: 'create', tenant })
      await tasks.create({ tenant })
      await say({ did: 'create', tenant })
      tenants.push(tenant)
    }
    const encrypt = async (place, n) => {
      const value = `${prefix}-${n}@example.com`
      await say({ will: 'encrypt', place })
      try {
        const stored = await tasks.encrypt({ place, value })
        await say({ did: 'encrypt', place, value, stored })
      } catch (error) {
        if (error.code === undefined) throw error
        await say({ did: 'encrypt', place, refused: error.code })
      }
    }
    for (const tenant of unfinished) {
      await create(tenant)
      await encrypt({ tenant, subject: 'first' }, tenant)
    }
    for (let n = 0; isWriting(); n++) {
      const dice = random()
      if (dice < 0.1) await create(`${prefix}-tenant-${n}`)
      else if (dice < 0.3 && own.length > 0) {
        const [place] = own.splice(Math.floor(random() * own.length), 1)
        await say({ will: 'shred', place })
        await patiently(() => at(place).shred())
        await say({ did: 'shred', place })
      } else if (dice < 0.6) await encrypt(pick(known), n)
      else if (dice < 0.7) {
        const { tenant, subject } = pick(known)
        await encrypt({ tenant, subject, item: `${prefix}-item-${n}` }, n)
      } else {
        const place = { tenant: pick(tenants), subject: `${prefix}-${n}` }
        await encrypt(place, n)
        own.push(place)
        known.push(place)
      }
      await sleep(random() * 5)
    }
    doom = undefined
  },
  halt: () => void (writing = false),
}

let writing = false
function isWriting() {
  return writing
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
      (error) => process.send({ id, error: { code: error.code, message: String(error.stack ?? error) } }),
    )
})
process.on('disconnect', () => process.exit())
