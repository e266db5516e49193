// The libraries that Strongroom is measured against, each used in the fastest way that we found for it and still doing what its users do:
// what stays the same from value to value is prepared once.
import { createHash, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'

// All of them are CommonJS, and tink-crypto asks for a browser's `self` when it is loaded.
globalThis.self = globalThis
const require = createRequire(import.meta.url)

const FIELD = 'users.notes'
// All values in one frame, however long.
const FRAME = 2 ** 20
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * @returns by name `{ stores, asynchronous, does, of(record) }`, of which the last gives `{ encrypt(value), decrypt(stored) }` for one record:
 *   values are text, what is stored is text or bytes, and `does` says what a call does beside ours
 * @throws if a peer is missing
 */
export async function peers() {
  return {
    cloak: cloak(),
    'mongoose-field-encryption': mongooseFieldEncryption(),
    'ciphersweet-js': await cipherSweet(),
    'tink-crypto': await tink(),
    '@aws-crypto/client-node': aws(),
    '@aws-crypto/client-node, cached': awsCached(),
  }
}

function cloak() {
  const { encryptStringSync, decryptStringSync, generateKey, parseKeySync } = require('@47ng/cloak')
  const key = parseKeySync(generateKey())
  return {
    stores: 'text',
    asynchronous: false,
    does: 'plain AES-256-GCM, with no associated data: a value can be moved to any row',
    of: () => ({
      encrypt: (value) => encryptStringSync(value, key),
      decrypt: (stored) => decryptStringSync(stored, key),
    }),
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
    of: () => ({
      encrypt: (value) => encrypt(value, key, () => randomBytes(16)),
      decrypt: (stored) => decrypt(stored, key, { notifyDecryptFails: true }),
    }),
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
    of: (record) => ({
      encrypt: (value) => field.encryptValue(value, record),
      decrypt: async (stored) => (await field.decryptValue(stored, record)).toString('utf8'),
    }),
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
    of(record) {
      const bound = encoder.encode(`${FIELD}.${record}`)
      return {
        encrypt: (value) => primitive.encrypt(encoder.encode(value), bound),
        decrypt: async (stored) => decoder.decode(await primitive.decrypt(stored, bound)),
      }
    },
  }
}

function aws() {
  const { client, keyring, suiteId } = awsParts()
  return {
    stores: 'bytes',
    asynchronous: true,
    does: 'a data key for each value, wrapped by a raw keyring; key commitment, bound to field and record',
    of: awsCalls(client, keyring, suiteId),
  }
}

// Data keys are used again for as long as ours are, for what has the same context: here that is one record.
function awsCached() {
  const { getLocalCryptographicMaterialsCache, NodeCachingMaterialsManager } = require('@aws-crypto/client-node')
  const { client, keyring, suiteId } = awsParts()
  const cache = getLocalCryptographicMaterialsCache(10_000)
  const manager = new NodeCachingMaterialsManager({ backingMaterials: keyring, cache, maxAge: 3_600_000 })
  return {
    stores: 'bytes',
    asynchronous: true,
    does: 'a data key for each record, kept by its caching materials manager; key commitment, bound to field and record',
    of: awsCalls(client, manager, suiteId),
  }
}

// A raw AES keyring, and the suite without a signature: that of the default takes several times as long.
function awsParts() {
  const {
    AlgorithmSuiteIdentifier,
    buildClient,
    CommitmentPolicy,
    RawAesKeyringNode,
    RawAesWrappingSuiteIdentifier,
  } = require('@aws-crypto/client-node')
  const keyring = new RawAesKeyringNode({
    keyNamespace: 'strongroom-bench',
    keyName: 'root',
    unencryptedMasterKey: new Uint8Array(randomBytes(32)),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
  return { client: buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT), keyring, suiteId }
}

function awsCalls(client, materials, suiteId) {
  return (record) => {
    const encryptionContext = { field: FIELD, record }
    return {
      encrypt: async (value) => (await client.encrypt(materials, value, { suiteId, encryptionContext, frameLength: FRAME })).result,
      // Reading, its users compare the context themselves; that is left out here.
      decrypt: async (stored) => (await client.decrypt(materials, stored)).plaintext.toString('utf8'),
    }
  }
}
