// Addresses by the thousand, and one by one, beside libsodium's own functions, called for each address as its wrapper has them.
import { initVault, openVault, randomBytes } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { createPseudonyms, formatAddress } from '@strongroom/pseudonyms'
import sodium from 'libsodium-wrappers-sumo'

import { interleave } from '../interleave.mjs'

const BATCH = 4096
const [DETERMINISTIC, PREFIX] = [randomBytes(16), randomBytes(32)]

/** The chapter, as lines. */
export async function addresses() {
  await sodium.ready
  const tenant = await openTenant()
  const keys = Object.fromEntries(
    await Promise.all(
      ['deterministic', 'prefix', 'nd', 'ndx', 'token', 'truncate'].map(async (mode) => [
        mode,
        await createPseudonyms(tenant, { purpose: 'bench', mode }).unlock(),
      ]),
    ),
  )
  const one = createPseudonyms(tenant, { purpose: 'bench' })
  const [v4, v6] = [blocksOf(4), blocksOf(6)]
  const [texts, singles] = [v4, v6].map(textsOf)
  const each = (blocks, call) => () => {
    for (let at = 0; at < blocks.length; at += 16) call(blocks.subarray(at, at + 16))
  }
  const ofText = (call) => () => {
    for (const text of texts) sodium.sodium_bin2ip(call(sodium.sodium_ip2bin(text)))
  }
  // By name: how many addresses a call takes, what is called, what it is compared to.
  const all = {
    'libsodium, `deterministic`, bytes': [BATCH, each(v4, (block) => sodium.crypto_ipcrypt_encrypt(block, DETERMINISTIC))],
    '`deterministic`, bytes': [BATCH, () => keys.deterministic.pseudonymiseBytes(v4), 'libsodium, `deterministic`, bytes'],
    'libsodium, `deterministic`, text': [BATCH, ofText((block) => sodium.crypto_ipcrypt_encrypt(block, DETERMINISTIC))],
    '`deterministic`, text': [BATCH, () => keys.deterministic.pseudonymiseMany(texts), 'libsodium, `deterministic`, text'],
    'libsodium, `prefix`, bytes': [BATCH, each(v4, (block) => sodium.crypto_ipcrypt_pfx_encrypt(block, PREFIX))],
    '`prefix`, bytes': [BATCH, () => keys.prefix.pseudonymiseBytes(v4), 'libsodium, `prefix`, bytes'],
    'libsodium, `prefix`, text': [BATCH, ofText((block) => sodium.crypto_ipcrypt_pfx_encrypt(block, PREFIX))],
    '`prefix`, text': [BATCH, () => keys.prefix.pseudonymiseMany(texts), 'libsodium, `prefix`, text'],
    'libsodium, `prefix`, IPv6, bytes': [BATCH, each(v6, (block) => sodium.crypto_ipcrypt_pfx_encrypt(block, PREFIX))],
    '`prefix`, IPv6, bytes': [BATCH, () => keys.prefix.pseudonymiseBytes(v6), 'libsodium, `prefix`, IPv6, bytes'],
    'libsodium, `nd`, bytes': [BATCH, each(v4, (block) => sodium.crypto_ipcrypt_nd_encrypt(block, randomBytes(8), DETERMINISTIC))],
    '`nd`, bytes': [BATCH, () => keys.nd.pseudonymiseBytes(v4), 'libsodium, `nd`, bytes'],
    'libsodium, `ndx`, bytes': [BATCH, each(v4, (block) => sodium.crypto_ipcrypt_ndx_encrypt(block, randomBytes(16), PREFIX))],
    '`ndx`, bytes': [BATCH, () => keys.ndx.pseudonymiseBytes(v4), 'libsodium, `ndx`, bytes'],
    '`nd`, text': [BATCH, () => keys.nd.pseudonymiseMany(texts)],
    '`ndx`, text': [BATCH, () => keys.ndx.pseudonymiseMany(texts)],
    '`token`, text': [BATCH, () => keys.token.pseudonymiseMany(texts)],
    '`truncate`, text': [BATCH, () => keys.truncate.pseudonymiseMany(texts)],
    '`deterministic`, text, IPv6': [BATCH, () => keys.deterministic.pseudonymiseMany(singles)],
    'one address, `keys.pseudonymise`': [1, () => keys.deterministic.pseudonymise('192.0.2.1')],
    'one address, `await pseudonyms.pseudonymise`': [1, () => one.pseudonymise('192.0.2.1')],
  }
  const base = Object.fromEntries(Object.entries(all).map(([name, [, , of]]) => [name, of ?? name]))
  const calls = Object.fromEntries(Object.entries(all).map(([name, [, call]]) => [name, call]))
  const measured = await interleave(calls, 25, base)
  const row = ([name, [count, , of]]) => {
    const { ns, ratio, lower, upper } = measured[name]
    const against = of === undefined ? '' : `${ratio.toFixed(1)} (${lower.toFixed(1)}–${upper.toFixed(1)})`
    return `| ${name} | ${Math.round((count / ns) * 1e9).toLocaleString('en')} | ${against} |`
  }
  return [
    '## Addresses',
    '',
    `Random IPv4 addresses unless it says IPv6, in batches of ${BATCH.toLocaleString('en')}, through the keys that \`unlock\` hands out: 16 bytes in and 16 out, or text in and text out. Beside them \`libsodium-wrappers-sumo\`, called`,
    'once for each address: bytes as `crypto_ipcrypt_encrypt` and its siblings take and give them, with a fresh random tweak where there is one, text through `sodium_ip2bin` and `sodium_bin2ip`. All of them in turn in each of 25 rounds; the ratio is the median (quartiles) of',
    'those of one round.',
    '',
    '| | addresses a second, one core | times as fast as libsodium |',
    '| --- | --- | --- |',
    ...Object.entries(all).map(row),
    '',
  ]
}

async function openTenant() {
  const options = {
    keyProviders: { eu: memoryKeyProvider() },
    defaultRegion: 'eu',
    keyStore: memoryKeyStore(),
    stateStore: memoryStateStore(),
  }
  // Long enough for all rounds.
  await initVault({ ...options, cacheBound: 3_600_000 })
  const vault = await openVault(options)
  return vault.tenants.create('acme')
}

function blocksOf(family) {
  const blocks = randomBytes(BATCH * 16)
  for (let at = 0; at < blocks.length; at += 16) {
    if (family === 4) blocks.fill(0, at, at + 10).fill(0xff, at + 10, at + 12)
    else blocks[at] = 0x20
  }
  return blocks
}

function textsOf(blocks) {
  return Array.from({ length: BATCH }, (_, i) => formatAddress(blocks, 16 * i))
}
