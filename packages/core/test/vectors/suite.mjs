// Every vector check, on whichever backend this process resolves. Runs in the tests, and in a child process through run.mjs.
import { backend } from '#backend'

import { checkFormat, checkFormatIsRead, checkFormatRefusals } from './format.mjs'
import { checkKnownAnswers, XAES } from './known-answers.mjs'
import { readVectors, vectorsFolder } from './support.mjs'
import { checkAesGcm, checkEd25519, checkHkdf, checkHmac } from './wycheproof.mjs'
import { checkXaes, checkXaesAccumulated } from './xaes.mjs'

/** What runs without the folder of vectors. */
export function runKnownAnswers() {
  return { backend: backend.name, ...checkKnownAnswers() }
}

/** What needs the folder; `undefined` if STRONGROOM_VECTORS is not set. Returns how many vectors of each kind agreed. */
export function runVectors() {
  const folder = vectorsFolder()
  if (folder === undefined) return undefined
  const xaes = readVectors(folder, 'xaes-256-gcm', 'xaes256gcm.json')
  const format = readVectors(folder, 'strongroom', 'format.json')
  return {
    backend: backend.name,
    xaes: checkXaes(xaes),
    xaesAccumulated: checkXaesAccumulated(10_000, xaes.accumulated.iter10000),
    aesGcm: checkAesGcm(readVectors(folder, 'wycheproof', 'aes_gcm_test.json')),
    hkdf: checkHkdf(readVectors(folder, 'wycheproof', 'hkdf_sha256_test.json')),
    hmac: checkHmac(readVectors(folder, 'wycheproof', 'hmac_sha256_test.json')),
    ed25519: checkEd25519(readVectors(folder, 'wycheproof', 'ed25519_test.json')),
    format: checkFormat(format),
    formatRefusals: checkFormatRefusals(format),
    formatIsRead: checkFormatIsRead(format),
  }
}

/** The specification's long run: about a minute. */
export function runMillion() {
  return checkXaesAccumulated(1_000_000, XAES.accumulated.iter1000000)
}
