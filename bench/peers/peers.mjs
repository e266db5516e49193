// The libraries that Strongroom is measured against, each used in the way that is fastest for it and still does what its users do.
import { createHash, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'

// All of them are CommonJS, and tink-crypto asks for a browser's `self` when it is loaded.
globalThis.self = globalThis
const require = createRequire(import.meta.url)

const FIELD = 'users.notes'
const RECORD = 'alice'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * @returns by name `{ stores, asynchronous, does, encrypt(value), decrypt(stored) }`: values are text, what is stored is text or bytes,
 *   and `does` says what a call does beside ours
 * @throws if a peer is missing
 */
export async function peers() {
  return {
    cloak: cloak(),
    'mongoose-field-encryption': mongooseFieldEncryption(),
    'ciphersweet-js': await cipherSweet(),
    'tink-crypto': await tink(),
    '@aws-crypto/client-node': aws(),
  }
}

function cloak() {
  const { encryptStringSync, decryptStringSync, generateKey, parseKeySync } = require('@47ng/cloak')
  const key = parseKeySync(generateKey())
  return {
    stores: 'text',
    asynchronous: false,
    does: 'plain AES-256-GCM, with no associated data: a value can be moved to any row',
    encrypt: (value) => encryptStringSync(value, key),
    decrypt: (stored) => decryptStringSync(stored, key),
  }
}

// Its bare functions, without a document.
function mongooseFieldEncryption() {
  const { encrypt, decrypt } = require('mongoose-field-encryption')
  // As the plugin makes a key of its option `secret`.
  const key = createHash('sha256').update(randomBytes(32)).digest('hex').slice(0, 32)
  return {
    stores: 'text',
    asynchronous: false,
    does: 'AES-256-CBC, not authenticated: a value can be moved and altered',
    encrypt: (value) => encrypt(value, key, () => randomBytes(16)),
    decrypt: (stored) => decrypt(stored, key, { notifyDecryptFails: true }),
  }
}

// The fastest of its three backends, with the native library that its README recommends.
async function cipherSweet() {
  const { CipherSweet, EncryptedField, ModernCrypto, StringProvider } = require('ciphersweet-js')
  const { SodiumPlus } = createRequire(require.resolve('ciphersweet-js'))('sodium-plus')
  if (!(await SodiumPlus.auto()).isSodiumNative()) throw new Error('ciphersweet-js does not run on sodium-native')
  const field = await EncryptedField.build(
    new CipherSweet(new StringProvider(randomBytes(32).toString('hex')), new ModernCrypto()),
    'users',
    'notes',
  )
  return {
    stores: 'text',
    asynchronous: true,
    does: 'XChaCha20-Poly1305 in native code, bound to the field by its key and to the record',
    encrypt: (value) => field.encryptValue(value, RECORD),
    decrypt: async (stored) => (await field.decryptValue(stored, RECORD)).toString('utf8'),
  }
}

async function tink() {
  const { aead, generateNewKeysetHandle } = require('tink-crypto')
  aead.register()
  const primitive = await (await generateNewKeysetHandle(aead.aes256GcmKeyTemplate())).getPrimitive(aead.Aead)
  return {
    stores: 'bytes',
    asynchronous: true,
    does: 'AES-256-GCM by Web Crypto, bound to field and record',
    encrypt: (value) => primitive.encrypt(encoder.encode(value), encoder.encode(`${FIELD}.${RECORD}`)),
    decrypt: async (stored) => decoder.decode(await primitive.decrypt(stored, encoder.encode(`${FIELD}.${RECORD}`))),
  }
}

// A raw AES keyring, and the suite without a signature: that of the default takes several times as long.
function aws() {
  const {
    AlgorithmSuiteIdentifier,
    buildClient,
    CommitmentPolicy,
    RawAesKeyringNode,
    RawAesWrappingSuiteIdentifier,
  } = require('@aws-crypto/client-node')
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
  const keyring = new RawAesKeyringNode({
    keyNamespace: 'strongroom-bench',
    keyName: 'root',
    unencryptedMasterKey: new Uint8Array(randomBytes(32)),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
  const encryptionContext = { field: FIELD, record: RECORD }
  return {
    stores: 'bytes',
    asynchronous: true,
    does: 'a data key for each value, wrapped by the keyring; key commitment, bound to field and record',
    encrypt: async (value) => (await client.encrypt(keyring, value, { suiteId, encryptionContext })).result,
    // Reading, its users compare the context themselves; that is left out here.
    decrypt: async (stored) => (await client.decrypt(keyring, stored)).plaintext.toString('utf8'),
  }
}
