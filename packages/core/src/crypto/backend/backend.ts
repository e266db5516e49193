/** What the cryptography of Strongroom needs from a platform. Chosen by the package `imports` of `#backend`. */

/** AES-256 on single blocks, with the key schedule kept. Used only inside XAES-256-GCM's key derivation. */
export interface AesBlocks {
  /** Encrypts a whole number of 16-byte blocks, each on its own. */
  encrypt(blocks: Uint8Array): Uint8Array
}

export interface Backend {
  readonly name: 'node' | 'portable'
  /** Fills with bytes of the platform's CSPRNG. */
  randomFill(bytes: Uint8Array): void
  /** One byte, then the UTF-8 of a well-formed text: without the copies that assembling it would take. The caller wipes it. */
  byteAndText(byte: number, text: string): Uint8Array
  /** base64url (RFC 4648, section 5), without padding. */
  base64url(bytes: Uint8Array): string
  /** The bytes of base64url without padding, or `undefined` if it is not the one text of those bytes. */
  fromBase64url(text: string): Uint8Array | undefined
  sha256(data: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** RFC 5869. An absent salt is 32 zero bytes. */
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array | undefined, info: Uint8Array, length: number): Uint8Array
  /** Compares in time that depends on the lengths only. */
  equal(a: Uint8Array, b: Uint8Array): boolean
  aes256(key: Uint8Array): AesBlocks
  /** AES-256-GCM (NIST SP 800-38D), 96-bit nonce, 128-bit tag: writes ciphertext ‖ tag into `out` at `offset`. */
  gcmSeal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, offset: number): void
  /** Opens ciphertext ‖ tag; `undefined` if it is not authentic. Never shorter than a tag. */
  gcmOpen(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
  /** RFC 8032, section 5.1.5: the public key, 32 bytes, of a seed of 32 bytes. */
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  /** RFC 8032, section 5.1.6: R 32 ‖ S 32, always the same for one seed and message. */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /**
   * RFC 8032, section 5.1.7, and of what it leaves open always the narrower, so that no two backends disagree: the equation
   * [S]B = R + [k]A without the cofactor, canonical encodings only, S below the order of the group, no public key and no R of small order.
   * False for anything malformed; never throws.
   */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}
