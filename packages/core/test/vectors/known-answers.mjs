// A few short known answers, typed in from their sources, for checkouts without the folder of vectors (docs/vectors.md).
import { backend } from '#backend'

import { checkXaes, checkXaesAccumulated, checkXaesRandom } from './xaes.mjs'
import { flipped, refused, same, unhex, utf8 } from './support.mjs'

// C2SP, XAES-256-GCM (https://c2sp.org/XAES-256-GCM), section "Test vectors". Code and data there are BSD-1-Clause.
export const XAES = {
  vectors: [
    {
      key: '01'.repeat(32),
      nonceAscii: 'ABCDEFGHIJKLMNOPQRSTUVWX',
      L: '7298caa565031eadc6ce23d23ea66378',
      Kx: 'c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b',
      Nx: '4d4e4f505152535455565758',
      plaintextAscii: 'XAES-256-GCM',
      aadAscii: '',
      ct: 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271',
    },
    {
      key: '03'.repeat(32),
      nonceAscii: 'ABCDEFGHIJKLMNOPQRSTUVWX',
      L: '91c08762876dccf9ba204a33768fa5fe',
      Kx: 'e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8',
      Nx: '4d4e4f505152535455565758',
      plaintextAscii: 'XAES-256-GCM',
      aadAscii: 'c2sp.org/XAES-256-GCM',
      ct: '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d',
    },
  ],
  accumulated: {
    iter10000: 'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939',
    iter1000000: '2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15',
  },
}

// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B, test cases 13, 14 and 16.
const GCM = [
  { key: '00'.repeat(32), nonce: '00'.repeat(12), aad: '', plaintext: '', sealed: '530f8afbc74536b9a963b4f1c4cb738b' },
  {
    key: '00'.repeat(32),
    nonce: '00'.repeat(12),
    aad: '',
    plaintext: '00'.repeat(16),
    sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
    nonce: 'cafebabefacedbaddecaf888',
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    plaintext: 'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    sealed:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
      '76fc6ece0f4e1768cddf8853bb2d551b',
  },
]

// FIPS 197, appendix C.3.
const AES = {
  key: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  plaintext: '00112233445566778899aabbccddeeff',
  ciphertext: '8ea2b7ca516745bfeafc49904b496089',
}

// FIPS 180-4 examples: the empty message and "abc".
const SHA256 = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
]

// RFC 4231, test cases 1, 2 and 6.
const HMAC = [
  ['0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  ['4a656665', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  [
    'aa'.repeat(131),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
]

// RFC 5869, appendix A, test cases 1 and 3.
const HKDF = [
  {
    ikm: '0b'.repeat(22),
    salt: '000102030405060708090a0b0c',
    info: 'f0f1f2f3f4f5f6f7f8f9',
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    ikm: '0b'.repeat(22),
    salt: undefined,
    info: '',
    okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
]

/** Returns how many known answers of each kind it checked. */
export function checkKnownAnswers() {
  for (const [i, v] of GCM.entries()) {
    const [key, nonce, aad, plaintext] = [v.key, v.nonce, v.aad, v.plaintext].map(unhex)
    const out = new Uint8Array(3 + plaintext.length + 16)
    backend.gcmSeal(key, nonce, aad, plaintext, out, 3)
    same(out.subarray(3), v.sealed, `GCM ${i}: seal`)
    const sealed = unhex(v.sealed)
    same(backend.gcmOpen(key, nonce, aad, sealed), v.plaintext, `GCM ${i}: open`)
    for (let at = 0; at < sealed.length; at++) refused(backend.gcmOpen(key, nonce, aad, flipped(sealed, at)), `GCM ${i}: byte ${at}`)
    for (let to = 0; to < sealed.length; to++) refused(backend.gcmOpen(key, nonce, aad, sealed.subarray(0, to)), `GCM ${i}: cut to ${to}`)
  }
  same(backend.aes256(unhex(AES.key)).encrypt(unhex(AES.plaintext)), AES.ciphertext, 'AES-256')
  for (const [message, digest] of SHA256) same(backend.sha256(utf8(message)), digest, 'SHA-256')
  for (const [key, message, mac] of HMAC) same(backend.hmacSha256(unhex(key), utf8(message)), mac, 'HMAC-SHA-256')
  for (const { ikm, salt, info, okm } of HKDF) {
    same(backend.hkdfSha256(unhex(ikm), salt === undefined ? undefined : unhex(salt), unhex(info), okm.length / 2), okm, 'HKDF-SHA-256')
  }
  return {
    xaes: checkXaes(XAES),
    xaesAccumulated: checkXaesAccumulated(10_000, XAES.accumulated.iter10000),
    xaesRandom: checkXaesRandom(200),
    gcm: GCM.length,
    aes: 1,
    sha256: SHA256.length,
    hmac: HMAC.length,
    hkdf: HKDF.length,
  }
}
