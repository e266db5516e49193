// `npm run bench:peers`: installs the peers, measures each beside ours, and writes the part `peers` of bench/RESULTS.md.
import { fileURLToPath } from 'node:url'

import { encryptedToText, field, initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { z } from 'zod'

import { pnpm } from '../../scripts/pnpm.mjs'
import { text } from '../fields.mjs'
import { interleave } from '../interleave.mjs'
import { writePart } from '../results.mjs'
import { implausible } from './implausible.mjs'
import { awaited, report } from './report.mjs'

const SIZES = [16, 64, 256, 1024, 4096, 16 * 1024, 64 * 1024]
const PEOPLE = 1000
const PEOPLE_SIZE = 64
// More rounds than elsewhere: what counts is their median, and others use the machine too. Fewer, for a quick look, are not written.
const ROUNDS = Number(process.env['STRONGROOM_BENCH_ROUNDS'] ?? 161)

pnpm(['install', '--frozen-lockfile', '--reporter=append-only'], fileURLToPath(new URL('.', import.meta.url)))
const { peers } = await import('./peers.mjs')
const others = await peers()

const stores = { keyStore: memoryKeyStore(), stateStore: memoryStateStore() }
const options = { keyProviders: { eu: memoryKeyProvider() }, defaultRegion: 'eu', ...stores, cacheBound: 3_600_000 }
await initVault(options)
const vault = await openVault(options)
await vault.tenants.create('bench')
const notes = field('users', 'notes', z.string())

const rows = []
for (const size of SIZES) rows.push({ size, ...(await onePerson(size)) })
const people = { size: PEOPLE_SIZE, count: PEOPLE, ...(await manyPeople()) }
await vault.close()

const written = report(others, rows, people)
console.log(written)
const problems = implausible([...rows, people])
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  console.error('Nothing is written: the machine was not quiet enough for this to be true. Run it again.')
  process.exitCode = 1
} else if (process.env['STRONGROOM_BENCH_ROUNDS'] === undefined) writePart('peers', written)

/** Both directions for one size: ours in the forms that the others are compared to, and each of the others. */
async function onePerson(size) {
  const value = text(size)
  const alice = vault.tenant('bench').subject('alice')
  const record = { record: 'alice' }
  const keys = await alice.unlock()
  const stored = keys.encrypt(notes, value, record)
  const storedText = encryptedToText(stored)
  const calls = {}
  const theirs = {}
  for (const [name, peer] of Object.entries(others)) {
    calls[name] = peer.of('alice')
    theirs[name] = await encrypted(name, calls[name], value)
  }
  const encrypt = {
    bytes: () => keys.encrypt(notes, value, record),
    text: () => encryptedToText(keys.encrypt(notes, value, record)),
    bytesAwaited: () => alice.encrypt(notes, value, record),
    textAwaited: async () => encryptedToText(await alice.encrypt(notes, value, record)),
  }
  const decrypt = {
    bytes: () => keys.decrypt(notes, stored, record),
    text: () => keys.decrypt(notes, storedText, record),
    bytesAwaited: () => alice.decrypt(notes, stored, record),
    textAwaited: () => alice.decrypt(notes, storedText, record),
  }
  return {
    encrypt: await compared(encrypt, (name) => () => calls[name].encrypt(value)),
    decrypt: await compared(decrypt, (name) => () => calls[name].decrypt(theirs[name])),
  }
}

// Twice in one run of rounds for those whose call is asynchronous: to ours after unlock(), and to our own awaited call.
async function compared(ours, call) {
  const contenders = { ...ours }
  const base = { textAwaited: 'bytesAwaited' }
  for (const [name, { stores: form, asynchronous }] of Object.entries(others)) {
    contenders[name] = call(name)
    base[name] = form
    if (asynchronous) {
      contenders[awaited(name)] = call(name)
      base[awaited(name)] = `${form}Awaited`
    }
  }
  return interleave(contenders, ROUNDS, base)
}

/** Every call is for another person than the last: ours takes her keys, theirs whatever goes with her record. */
async function manyPeople() {
  const value = text(PEOPLE_SIZE)
  const names = Array.from({ length: PEOPLE }, (_, i) => `person-${i}`)
  const subjects = names.map((name) => vault.tenant('bench').subject(name))
  const stored = await Promise.all(subjects.map((subject, i) => subject.encrypt(notes, value, { record: names[i] })))
  const storedText = stored.map((each) => encryptedToText(each))
  const encrypt = {
    bytes: inTurn(async (i) => (await subjects[i].unlock()).encrypt(notes, value, { record: names[i] })),
    text: inTurn(async (i) => encryptedToText((await subjects[i].unlock()).encrypt(notes, value, { record: names[i] }))),
  }
  const decrypt = {
    bytes: inTurn(async (i) => (await subjects[i].unlock()).decrypt(notes, stored[i], { record: names[i] })),
    text: inTurn(async (i) => (await subjects[i].unlock()).decrypt(notes, storedText[i], { record: names[i] })),
  }
  const base = {}
  for (const [name, { of, stores: form }] of Object.entries(others)) {
    const theirs = []
    for (const each of names) theirs.push(await encrypted(name, of(each), value))
    encrypt[name] = inTurn((i) => of(names[i]).encrypt(value))
    decrypt[name] = inTurn((i) => of(names[i]).decrypt(theirs[i]))
    base[name] = form
  }
  return { encrypt: await interleave(encrypt, ROUNDS, base), decrypt: await interleave(decrypt, ROUNDS, base) }
}

function inTurn(call) {
  let turn = 0
  return () => call(turn++ % PEOPLE)
}

async function encrypted(name, calls, value) {
  const stored = await calls.encrypt(value)
  if ((await calls.decrypt(stored)) !== value) throw new Error(`${name} does not give back what it encrypted`)
  return stored
}
