// `npm run bench:peers`: installs the peers, measures each beside ours, and writes the part `peers` of bench/RESULTS.md.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { encryptedToText, field, initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { z } from 'zod'

import { pnpm } from '../../scripts/pnpm.mjs'
import { text } from '../fields.mjs'
import { interleave } from '../interleave.mjs'
import { machine, writePart } from '../results.mjs'

const SIZES = [16, 64, 256, 1024, 4096, 16 * 1024, 64 * 1024]
// More rounds than elsewhere: what counts is their median, and others use the machine too.
const ROUNDS = 41

pnpm(['install', '--frozen-lockfile', '--reporter=append-only'], fileURLToPath(new URL('.', import.meta.url)))
const { peers } = await import('./peers.mjs')
const others = await peers()

const stores = { keyStore: memoryKeyStore(), stateStore: memoryStateStore() }
const options = { keyProviders: { eu: memoryKeyProvider() }, defaultRegion: 'eu', ...stores, cacheBound: 3_600_000 }
await initVault(options)
const vault = await openVault(options)
await vault.tenants.create('bench')
const alice = vault.tenant('bench').subject('alice')
const notes = field('users', 'notes', z.string())
const record = { record: 'alice' }

const rows = []
for (const size of SIZES) rows.push({ size, ...(await measure(size)) })
await vault.close()

const written = report()
writePart('peers', written)
console.log(written)

/** Both directions for one size: ours in the forms that the others are compared to, and each of the others. */
async function measure(size) {
  const value = text(size)
  const keys = await alice.unlock()
  const stored = keys.encrypt(notes, value, record)
  const storedText = encryptedToText(stored)
  const theirs = {}
  for (const [name, peer] of Object.entries(others)) {
    theirs[name] = await peer.encrypt(value)
    if ((await peer.decrypt(theirs[name])) !== value) throw new Error(`${name} does not give back what it encrypted`)
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
    encrypt: await compared(encrypt, (name) => others[name].encrypt.bind(undefined, value)),
    decrypt: await compared(decrypt, (name) => others[name].decrypt.bind(undefined, theirs[name])),
  }
}

// Twice in one run of rounds for those whose call is asynchronous: to ours after unlock(), and to our own awaited call.
async function compared(ours, call) {
  const contenders = { ...ours }
  const base = {}
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

function awaited(name) {
  return `${name}, awaited`
}

// The medians of one direction where ours took longer, `64 B 1.24, …`.
function behind(what, name) {
  const found = rows.map(({ size, [what]: row }) => ({ size, ratio: row[name].ratio })).filter(({ ratio }) => ratio >= 1)
  return found.map(({ size, ratio }) => `${size} B ${ratio.toFixed(2)}`).join(', ') || 'nowhere'
}

function report() {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  const asynchronous = Object.keys(others).filter((name) => others[name].asynchronous)
  return [
    '# Peers',
    '',
    `Written by \`npm run bench:peers\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
    `${Object.keys(dependencies)
      .map((name) => `\`${name}\` ${dependencies[name]}`)
      .join(', ')}.`,
    '',
    'One field of text. Ours is one key of one person, a value bound to its collection, field and record; all of the others have one key for everybody.',
    'A ratio is the time of ours divided by theirs, the median over the rounds, with the least and the most in brackets: below 1, ours is faster.',
    'Like is compared with like: with those that store text, ours makes text (`encryptedToText`), with the others bytes. "Awaited" are our',
    '`subject.encrypt` and `subject.decrypt`, awaited call by call, beside those whose calls are asynchronous; elsewhere ours is `keys.encrypt` and `keys.decrypt` after one `unlock()`.',
    'Each peer is used in the way that is fastest for it ([peers.mjs](peers/peers.mjs)).',
    '',
    '## Where ours takes longer',
    '',
    '| | what it does | encrypt | decrypt | encrypt, ours awaited | decrypt, ours awaited |',
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(others).map(([name, { does, asynchronous: both }]) => {
      const forms = both ? [name, awaited(name)] : [name]
      const cells = forms.flatMap((form) => [behind('encrypt', form), behind('decrypt', form)])
      return `| ${name} | ${does} | ${cells.join(' | ')} |${both ? '' : ' | |'}`
    }),
    '',
    'Why: for each value ours derives a key of its own (XAES-256-GCM, an extra call of AES), authenticates collection, field and record, checks states and the',
    'cache bound, and parses by a schema; that is some two to three microseconds, which show while the value is short. Where the peer is one bare call of a weaker mode',
    '(AES-CBC) or does not go through an OpenSSL cipher object at all (libsodium), they are the difference. Our awaited call finds the key by its',
    'names each time, with an HMAC for each; batches are what `unlock()` is for.',
    '',
    ...table('Encrypt', 'encrypt', Object.keys(others)),
    ...table('Decrypt', 'decrypt', Object.keys(others)),
    ...table('Encrypt, ours awaited', 'encrypt', asynchronous, awaited),
    ...table('Decrypt, ours awaited', 'decrypt', asynchronous, awaited),
  ].join('\n')
}

function table(title, what, names, key = (name) => name) {
  const own = key('') === '' ? ['bytes', 'text'] : ['bytesAwaited', 'textAwaited']
  return [
    `## ${title}`,
    '',
    `| bytes a field | ours, µs | ours as text, µs | ${names.map((name) => `to ${name}`).join(' | ')} |`,
    `| --- | --- | --- | ${names.map(() => '---').join(' | ')} |`,
    ...rows.map(({ size, [what]: row }) => {
      const times = own.map((form) => (row[form].ns / 1000).toFixed(2))
      return `| ${size} | ${times.join(' | ')} | ${names.map((name) => shown(row[key(name)])).join(' | ')} |`
    }),
    '',
  ]
}

function shown({ ratio, least, most }) {
  return `${ratio.toFixed(3)} (${least.toFixed(3)}–${most.toFixed(3)})`
}
