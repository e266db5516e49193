// Project Wycheproof (C2SP/wycheproof, testvectors_v1) against the backend.
import { backend } from '#backend'

import { flipped, is, refused, same, throws, unhex } from './support.mjs'

/** AES-GCM with 256-bit keys, 96-bit nonces and 128-bit tags: the one form that is used here. */
export function checkAesGcm({ testGroups }) {
  const counts = { run: 0, valid: 0, invalid: 0 }
  for (const group of testGroups) {
    if (group.keySize !== 256 || group.ivSize !== 96 || group.tagSize !== 128) continue
    for (const test of group.tests) {
      const what = `aes_gcm ${test.tcId}`
      const [key, nonce, aad, message] = [test.key, test.iv, test.aad, test.msg].map(unhex)
      const sealed = unhex(test.ct + test.tag)
      if (test.result === 'valid') {
        const out = new Uint8Array(message.length + 16)
        backend.gcmSeal(key, nonce, aad, message, out, 0)
        same(out, test.ct + test.tag, `${what}: seal`)
        same(backend.gcmOpen(key, nonce, aad, sealed), test.msg, `${what}: open`)
        refused(backend.gcmOpen(key, nonce, aad, flipped(sealed, sealed.length - 1)), `${what}: tag changed`)
        counts.valid++
      } else {
        refused(backend.gcmOpen(key, nonce, aad, sealed), what)
        counts.invalid++
      }
      counts.run++
    }
  }
  return counts
}

export function checkHkdf({ testGroups }) {
  const counts = { run: 0, valid: 0, invalid: 0 }
  for (const group of testGroups) {
    for (const test of group.tests) {
      const what = `hkdf_sha256 ${test.tcId}`
      const [ikm, salt, info] = [test.ikm, test.salt, test.info].map(unhex)
      if (test.result === 'valid') {
        same(backend.hkdfSha256(ikm, salt, info, test.size), test.okm, what)
        // RFC 5869, section 2.2: no salt is the same as 32 zero bytes, and for HMAC as an empty one.
        if (salt.length === 0) {
          same(backend.hkdfSha256(ikm, undefined, info, test.size), test.okm, `${what}: no salt`)
          same(backend.hkdfSha256(ikm, new Uint8Array(32), info, test.size), test.okm, `${what}: zero salt`)
        }
        counts.valid++
      } else {
        // More than 255 blocks (RFC 5869, section 2.3): no output at all, rather than a short one.
        throws(() => backend.hkdfSha256(ikm, salt, info, test.size), what)
        counts.invalid++
      }
      counts.run++
    }
  }
  return counts
}

/** HMAC, its tags of 128 bits as truncations: that is how tags, references and index values use it. */
export function checkHmac({ testGroups }) {
  const counts = { run: 0, valid: 0, invalid: 0, truncated: 0 }
  for (const group of testGroups) {
    for (const test of group.tests) {
      const what = `hmac_sha256 ${test.tcId}`
      const tag = unhex(test.tag)
      const mac = backend.hmacSha256(unhex(test.key), unhex(test.msg)).subarray(0, group.tagSize / 8)
      if (backend.equal(mac, tag) !== (test.result === 'valid')) throw new Error(what)
      counts[test.result]++
      if (group.tagSize < 256) counts.truncated++
      counts.run++
    }
  }
  return counts
}

/** Ed25519 verification: signatures of every wrong length, with S past the order, with R not canonical, cut and extended. */
export function checkEd25519({ testGroups }) {
  const counts = { run: 0, valid: 0, invalid: 0 }
  for (const group of testGroups) {
    const publicKey = unhex(group.publicKey.pk)
    for (const test of group.tests) {
      const what = `ed25519 ${test.tcId}`
      const [message, signature] = [test.msg, test.sig].map(unhex)
      is(backend.ed25519Verify(publicKey, message, signature), test.result === 'valid', what)
      if (test.result === 'valid') is(backend.ed25519Verify(publicKey, message, flipped(signature, 63)), false, `${what}: S changed`)
      counts[test.result]++
      counts.run++
    }
  }
  return counts
}
