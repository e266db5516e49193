// A few short known answers, typed in from their sources, for checkouts without the folder of vectors (docs/vectors.md).
import { backend } from '#backend'

import { checkXaes, checkXaesAccumulated, checkXaesRandom } from './xaes.mjs'
import { flipped, is, refused, same, unhex, utf8 } from './support.mjs'

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

// RFC 8032, section 7.1: all five, by their names there.
const ED25519 = [
  {
    name: 'TEST 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'TEST 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'TEST 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'TEST 1024',
    seed: 'f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5',
    publicKey: '278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e',
    message:
      '08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544e23fb1433ddf73be' +
      '84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e2664' +
      '0f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100' +
      'ab5d1a36553e06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1' +
      '231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d95629e9855a94a7c1958d1f8' +
      'ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bde1a9187e' +
      'bb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf' +
      '80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b' +
      '82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9af0dcbaaaf26' +
      '8cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda08' +
      '47dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b0' +
      '1e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f' +
      '64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc' +
      '820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5fb93246f6' +
      'b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef13695' +
      '46868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c' +
      '0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0',
    signature:
      '0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03',
  },
  {
    name: 'TEST SHA(abc)',
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
]

// 2^252 + 27742317777372353535851937790883648493, the order of the group (section 5.1), in its 32 bytes, little-endian.
const ORDER = unhex('edd3f55c1a631258d69cf7a2def9de14' + '00'.repeat(15) + '10')

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
  for (const v of ED25519) checkEd25519(v)
  return {
    xaes: checkXaes(XAES),
    xaesAccumulated: checkXaesAccumulated(10_000, XAES.accumulated.iter10000),
    xaesRandom: checkXaesRandom(200),
    gcm: GCM.length,
    aes: 1,
    sha256: SHA256.length,
    hmac: HMAC.length,
    hkdf: HKDF.length,
    ed25519: ED25519.length,
  }
}

function checkEd25519(v) {
  const [seed, publicKey, message, signature] = [v.seed, v.publicKey, v.message, v.signature].map(unhex)
  const verify = backend.ed25519Verify
  same(backend.ed25519PublicKey(seed), v.publicKey, `Ed25519 ${v.name}: public key`)
  same(backend.ed25519Sign(seed, message), v.signature, `Ed25519 ${v.name}: signature`)
  is(verify(publicKey, message, signature), true, `Ed25519 ${v.name}: verification`)
  for (let at = 0; at < 64; at++)
    is(verify(publicKey, message, flipped(signature, at)), false, `Ed25519 ${v.name}: byte ${at} of the signature`)
  for (let at = 0; at < 32; at++) is(verify(flipped(publicKey, at), message, signature), false, `Ed25519 ${v.name}: byte ${at} of the key`)
  is(verify(publicKey, message.length === 0 ? unhex('00') : flipped(message, 0), signature), false, `Ed25519 ${v.name}: another message`)
  // The same signature with the order of the group added to S: another spelling of it.
  const other = new Uint8Array(signature)
  let carry = 0
  for (let i = 0; i < 32; i++) {
    carry += other[32 + i] + ORDER[i]
    other[32 + i] = carry & 0xff
    carry >>= 8
  }
  is(verify(publicKey, message, other), false, `Ed25519 ${v.name}: S not below the order`)
}
