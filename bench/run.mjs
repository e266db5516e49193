// `npm run bench`: measures, and writes bench/RESULTS.md. A number here is a measurement of one machine; the ratios travel better.
import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'

import { BATCH, batches } from './batches.mjs'
import { calls } from './calls.mjs'
import { flatShred, largeRotation, manyShreds, rewrapRates, rotationCalls } from './epochs.mjs'
import { fields, fieldsOn } from './fields.mjs'
import { machine, writePart } from './results.mjs'

const rootKeys = memoryKeyProvider()
const keyStore = memoryKeyStore()
// As long as the benchmark may take: a lease that ends midway would end the measurement.
const options = { keyProviders: { eu: rootKeys }, defaultRegion: 'eu', keyStore, stateStore: memoryStateStore(), cacheBound: 3_600_000 }
await initVault(options)
const vault = await openVault(options)
await vault.tenants.create('bench')

const single = await fields(vault)
const on24 = fieldsOn('24')
const batched = await batches(vault)
const counted = await calls(
  () => openVault(options),
  () => ({
    wrap: rootKeys.calls.wrap,
    unwrap: rootKeys.calls.unwrap,
    get: keyStore.calls.get,
    put: keyStore.calls.put,
    scan: keyStore.calls.scan,
  }),
)
await vault.close()

// STRONGROOM_BENCH_SUBJECTS: fewer than a million, for a quick look.
const shreds = await flatShred([1, 100_000])
const many = await manyShreds(10_000, 4, 200)
const rates = await rewrapRates(50_000)
const rotations = await rotationCalls(20, [10, 1000])
const large = await largeRotation(Number(process.env['STRONGROOM_BENCH_SUBJECTS'] ?? 1_000_000))

const text = report()
writePart('main', text)
console.log(text)

function report() {
  return [
    '# Benchmark results',
    '',
    `Written by \`npm run bench\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
    '',
    'Each row was measured side by side in one run, in turns of some milliseconds. A ratio is the time of `keys.encrypt` or',
    '`keys.decrypt` (after `unlock()`) divided by the time of the other, the median over the rounds, with the quartiles in',
    'brackets: 1.3 means that ours took 1.3 times as long, 0.5 half as long. Microseconds are the lower quartile. The others encrypt the same text with the same length of',
    'associated data and join nonce, ciphertext and tag. `raw` is `createCipheriv` with a kept `KeyObject` and a pooled nonce; `noble` is',
    "`@noble/ciphers`' AES-256-GCM; `web` is Web Crypto; `awaited` is our own asynchronous call, `subject.encrypt` or `subject.decrypt`.",
    `"On 24" is the same with Node.js ${on24.versions.node}, OpenSSL ${on24.versions.openssl}, in a process of its own right after.`,
    '',
    ...table('Encrypt one field', single, 'encrypt', ['raw', 'noble', 'web', 'awaited'], on24.rows),
    ...table('Decrypt one field', single, 'decrypt', ['raw', 'noble', 'web', 'awaited'], on24.rows),
    ...table(`Encrypt a batch of ${BATCH} fields`, batched, 'encrypt', ['raw', 'noble', 'web']),
    ...table(`Decrypt a batch of ${BATCH} fields`, batched, 'decrypt', ['raw', 'noble', 'web']),
    '## Calls',
    '',
    `${counted.encrypts} values of ${counted.subjects} new subjects of one tenant, all of them asked for at once by ${counted.subjects}; memory stores.`,
    '',
    '| | seconds | values a second | provider calls | store gets | store puts | store scans |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    callsRow('encrypt, and make the keys', counted.write),
    callsRow('decrypt, from cold', counted.read),
    '',
    '## One shred',
    '',
    'A subject with items beneath it; calls of the key store and of the provider. It does not grow with what is destroyed.',
    '',
    '| store | items | milliseconds | gets | puts | scans | provider calls |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...shreds.map(
      ({ name, items, ms, get, put, scan, provider }) =>
        `| ${name} | ${items} | ${ms.toFixed(1)} | ${get} | ${put} | ${scan} | ${provider} |`,
    ),
    '',
    '## Many shreds',
    '',
    `${many.subjects} subjects of one tenant on lmdb, by ${many.processes} processes at once with \`shredMany\`: ${Math.round(many.together)} a second, with ${many.statePuts} writes to the ledger.`,
    `One by one with \`shred\`, in one process: ${Math.round(many.oneByOne)} a second; together took ${(many.oneByOne / many.together).toFixed(3)} times as long for each.`,
    '',
    '## Rotation',
    '',
    'Keys wrapped anew, `rotateTenantKey`, the phase `rewrapping` with its last look at all of them; the middle one of three runs.',
    '',
    '| store | keys | a second of processor time | a second |',
    '| --- | --- | --- | --- |',
    ...rates.map(({ name, nodes, cpu, wall }) => `| ${String(name)} | ${nodes} | ${Math.round(cpu)} | ${Math.round(wall)} |`),
    '',
    'Calls of one `rotateRootKey`: those of the provider grow with tenants, those of the store with tenants, and with keys only where a tenant had a shred.',
    '',
    '| tenants | subjects in each | had a shred | provider calls | gets | puts | scans |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rotations.map(
      ({ tenants, subjects, shredded, provider: asked, get, put, scan }) =>
        `| ${tenants} | ${subjects} | ${shredded ? 'each' : 'none'} | ${asked} | ${get} | ${put} | ${scan} |`,
    ),
    '',
    `${large.subjects} subjects of one tenant on lmdb, rotated once: ${Math.round(large.seconds)} s with all phases, ${Math.round(large.wall)} keys a second (${Math.round(large.cpu)} a second of processor time).`,
    `Most memory in use by JavaScript and its buffers: ${Math.round(large.firstHalf)} MiB in the first half of the run, ${Math.round(large.secondHalf)} MiB in the second.`,
    '',
  ].join('\n')
}

// `later`: the rows of the same on Node 24.
function table(title, measured, key, others, later = []) {
  const heads = [
    'bytes a field',
    'ours, µs',
    ...others.map((name) => `to ${name}`),
    ...(later.length > 0 ? ['on 24: ours, µs', 'on 24: to raw'] : []),
  ]
  return [
    `## ${title}`,
    '',
    `| ${heads.join(' | ')} |`,
    `| ${heads.map(() => '---').join(' | ')} |`,
    ...measured.map(({ size, [key]: row }) => {
      const cells = [String(size), micros(row), ...others.map((name) => ratio(row[name]))]
      const other = later.find((each) => each.size === size)?.[key]
      return `| ${[...cells, ...(other ? [micros(other), ratio(other.raw)] : [])].join(' | ')} |`
    }),
    '',
  ]
}

function micros({ ours }) {
  return (ours.ns / 1000).toFixed(2)
}

function callsRow(what, { seconds, wrap, unwrap, get, put, scan }) {
  return `| ${what} | ${seconds.toFixed(2)} | ${Math.round(counted.encrypts / seconds)} | ${wrap + unwrap} | ${get} | ${put} | ${scan} |`
}

function ratio({ ratio: middle, lower, upper }) {
  return `${middle.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`
}
