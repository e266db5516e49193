import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { runKnownAnswers, runMillion, runVectors } from './suite.mjs'

const VECTORS = process.env['STRONGROOM_VECTORS'] ?? ''
const FULL = process.env['STRONGROOM_FULL'] ?? ''
const PORTABLE = '--conditions=strongroom-portable'

const KNOWN_ANSWERS = { xaes: 2, xaesAccumulated: 10_000, xaesRandom: 200, gcm: 3, aes: 1, sha256: 2, hmac: 3, hkdf: 2, ed25519: 5 }

const COUNTS = {
  xaes: 2,
  xaesAccumulated: 10_000,
  aesGcm: { run: 66, valid: 39, invalid: 27 },
  hkdf: { run: 86, valid: 83, invalid: 3 },
  hmac: { run: 174, valid: 66, invalid: 108, truncated: 87 },
  ed25519: { run: 151, valid: 88, invalid: 63 },
  format: {
    derivations: 6,
    tags: 18,
    childWrapKeys: 2,
    references: 9,
    nodeWraps: 4,
    wrappingKey: 1,
    sealed: 20,
    canonicalScalars: 12,
    indexValues: 4,
  },
  formatRefusals: 25,
  formatIsRead: 762,
}

if (VECTORS === '') console.log('STRONGROOM_VECTORS is not set: only the known answers typed into the tests run (docs/vectors.md).')

/** Runs the suite where nothing can load node:crypto. */
function child(options: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
  return spawnSync(process.execPath, [...options, '--import', new URL('no-node-crypto.mjs', import.meta.url).href, here('run.mjs')], {
    encoding: 'utf8',
    env: { ...env, NODE_OPTIONS: '' },
  })
}

describe('with node:crypto', () => {
  test('the known answers agree', () => {
    expect(runKnownAnswers()).toEqual({ backend: 'node', ...KNOWN_ANSWERS })
  })

  test.skipIf(VECTORS === '')('every vector agrees', () => {
    expect(runVectors()).toEqual({ backend: 'node', ...COUNTS })
  })

  test.skipIf(FULL === '')('the accumulated test of XAES-256-GCM agrees after a million iterations', { timeout: 600_000 }, () => {
    expect(runMillion()).toBe(1_000_000)
  })
})

describe('with the portable backend, where nothing can load node:crypto', () => {
  test('the known answers agree, and the vectors if there are any', () => {
    const { status, stdout, stderr } = child([PORTABLE])

    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      knownAnswers: { backend: 'portable', ...KNOWN_ANSWERS },
      vectors: VECTORS === '' ? null : { backend: 'portable', ...COUNTS },
    })
    expect(status).toBe(0)
  })

  test('the ban on node:crypto is real: the other backend does not load under it', () => {
    const { status, stderr } = child([])

    expect(stderr).toContain('node:crypto is not allowed in this process')
    expect(status).not.toBe(0)
  })
})

test('a folder of vectors that is named but missing is a failure', () => {
  const { status, stderr } = child([PORTABLE], { ...process.env, STRONGROOM_VECTORS: fileURLToPath(new URL('absent', import.meta.url)) })

  expect(stderr).toContain('STRONGROOM_VECTORS is set, but there is no such folder')
  expect(status).not.toBe(0)
})
