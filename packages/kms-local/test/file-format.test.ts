import { hkdfSync } from 'node:crypto'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'

import { argon2id } from '@noble/hashes/argon2.js'
import { Secret, xaesOpen } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import sodium from 'libsodium-wrappers-sumo'
import { afterEach, describe, expect, test, vi } from 'vitest'

import { AAD, encodeDocument, type FileDocument, newPath, PLAINTEXT, RAW_KEY, readDocument, refused } from './support.ts'

const PASSPHRASE = 'grüße aus dem Tresor'
const open = (file: string) => localKeyProvider({ file, rawKey: RAW_KEY, copiesLife: 5 })

afterEach(() => vi.restoreAllMocks())

// README.md, "The file" and "What a wrap is", read by someone who has only that page. LP(x) = u32 length ‖ x.
const u = (bytes: number, value: number): Buffer => {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out.subarray(8 - bytes)
}
const lp = (...fields: (string | Uint8Array)[]): Buffer =>
  Buffer.concat(fields.flatMap((field) => [u(4, Buffer.from(field).length), Buffer.from(field)]))
const raw = (text: string): Buffer => Buffer.from(text, 'base64url')
const hkdf = (ikm: Uint8Array, salt: Uint8Array, label: string): Uint8Array => new Uint8Array(hkdfSync('sha256', ikm, salt, label, 32))

function documentedData(document: FileDocument): Buffer {
  const { protection } = document
  return Buffer.concat([
    lp('strongroom/v1/root-key-file', raw(document.file), u(8, document.generation), document.region ?? ''),
    protection.kind === 'argon2id'
      ? lp(u(1, 1), raw(protection.salt), u(4, protection.memory as number), u(4, protection.passes as number))
      : lp(u(1, 2), raw(protection.salt)),
    ...document.versions.map(({ number, id, state, created, destroyed, copiesUntil }) =>
      state === 'live'
        ? lp(u(4, number), raw(id), u(1, 1), u(8, created))
        : lp(u(4, number), raw(id), u(1, 2), u(8, created), u(8, destroyed as number), u(8, copiesUntil as number)),
    ),
  ])
}

describe('the documented format', () => {
  test('opens with a raw key: three versions, one destroyed', async () => {
    const file = await newPath()
    const rootKeys = (document: FileDocument): Buffer[] => {
      const key = hkdf(RAW_KEY, raw(document.protection.salt), 'strongroom/v1/root-key-file/raw-key')
      const keys = xaesOpen(key, documentedData(document), raw(document.sealed))
      const live = document.versions.filter(({ state }) => state === 'live')
      expect(keys).toHaveLength(32 * live.length)
      return live.map((_, i) => Buffer.from((keys as Uint8Array).subarray(32 * i, 32 * i + 32)))
    }
    await createLocalKeyFile({ file, rawKey: RAW_KEY })
    const [first] = rootKeys(await readDocument(file))
    const provider = await open(file)
    await provider.createVersion(2)
    const [, second] = rootKeys(await readDocument(file))
    await provider.createVersion(7)
    await provider.destroyVersion(2)
    const document = await readDocument(file)
    expect(document.generation).toBe(4)
    expect(document.versions.map(({ number, state }) => [number, state])).toEqual([
      [1, 'live'],
      [2, 'destroyed'],
      [7, 'live'],
    ])
    const [one, seven] = rootKeys(document)
    expect(one, 'a root key never changes').toEqual(first)
    expect(new Set([Buffer.alloc(32), one, second, seven].map((key) => key?.toString('hex'))).size, 'keys are random').toBe(4)

    const { rootVersion, wrap } = await provider.wrap(PLAINTEXT, { aad: AAD })
    expect(rootVersion.number).toBe(7)
    expect(wrap[0]).toBe(1)
    const label = 'strongroom/v1/local-root/wrap'
    const wrapKey = hkdf(seven as Buffer, new Uint8Array(0), label)
    const opened = xaesOpen(wrapKey, lp(label, raw(document.file), u(4, 7), rootVersion.id, AAD), wrap.subarray(1))
    expect(Buffer.from(opened as Uint8Array)).toEqual(Buffer.from(PLAINTEXT))
  })

  test('opens with a passphrase, stretched by another implementation of Argon2id', async () => {
    const file = await newPath()
    await createLocalKeyFile({ file, passphrase: PASSPHRASE, region: 'eu-west' })
    const document = await readDocument(file)
    expect(document.protection).toMatchObject({ kind: 'argon2id', memory: 65_536, passes: 3 })
    expect(document.region).toBe('eu-west')
    const salt = raw(document.protection.salt)
    const stretched = argon2id(new TextEncoder().encode(PASSPHRASE), salt, { m: 65_536, t: 3, p: 1, dkLen: 32 })
    const key = hkdf(stretched, salt, 'strongroom/v1/root-key-file/passphrase')
    expect(xaesOpen(key, documentedData(document), raw(document.sealed))).toHaveLength(32)
  })
})

describe('a passphrase', () => {
  test('opens as string, bytes and Secret; another one, or a raw key, does not; and altered bytes look the same', async () => {
    const file = await newPath()
    await createLocalKeyFile({ file, passphrase: new Secret(PASSPHRASE) })
    const bytes = new TextEncoder().encode(PASSPHRASE)
    for (const passphrase of [PASSPHRASE, bytes, new Secret(PASSPHRASE)]) (await localKeyProvider({ file, passphrase })).close()
    expect(new TextDecoder().decode(bytes), 'the caller keeps its own bytes').toBe(PASSPHRASE)

    const wrong = await refused(localKeyProvider({ file, passphrase: `${PASSPHRASE} ` }), 'wrong_passphrase')
    expect(wrong.message).toBe('wrong passphrase, or the file was altered')
    // Bytes count as they are: the same text in another normal form is another passphrase.
    await refused(localKeyProvider({ file, passphrase: PASSPHRASE.normalize('NFD') }), 'wrong_passphrase')
    await refused(localKeyProvider({ file, rawKey: RAW_KEY }), 'wrong_passphrase')

    const good = await readFile(file)
    await writeFile(file, encodeDocument({ ...(await readDocument(file)), generation: 2 }))
    expect((await refused(localKeyProvider({ file, passphrase: PASSPHRASE }), 'wrong_passphrase')).message).toBe(wrong.message)
    await writeFile(file, good)
    await localKeyProvider({ file, passphrase: PASSPHRASE })
  })

  test('parameters below the floor or above the ceiling are refused before Argon2id runs, and the file stays as it is', async () => {
    const file = await newPath()
    await createLocalKeyFile({ file, passphrase: PASSPHRASE, argon2: { memory: 65_536, passes: 4 } })
    const document = await readDocument(file)
    expect(document.protection).toMatchObject({ memory: 65_536, passes: 4 })
    const run = vi.spyOn(sodium, 'crypto_pwhash')
    for (const change of [
      { memory: 65_535 },
      { memory: 8 },
      { memory: 0 },
      { passes: 2 },
      { passes: 0 },
      { memory: 1_048_577 },
      { memory: 2 ** 40 },
      { passes: 17 },
      { passes: 2 ** 32 },
    ]) {
      const altered = encodeDocument({ ...document, protection: { ...document.protection, ...change } })
      await writeFile(file, altered)
      await refused(localKeyProvider({ file, passphrase: PASSPHRASE }), 'root_key_file_invalid')
      expect(await readFile(file, 'utf8')).toBe(altered)
    }
    expect(run).not.toHaveBeenCalled()
    // Within the bounds it runs, and the parameters are authenticated.
    await writeFile(file, encodeDocument({ ...document, protection: { ...document.protection, passes: 3 } }))
    await refused(localKeyProvider({ file, passphrase: PASSPHRASE }), 'wrong_passphrase')
    await writeFile(file, encodeDocument(document))
    await localKeyProvider({ file, passphrase: PASSPHRASE })
    expect(run).toHaveBeenCalledTimes(2)
  })
})

describe('what was altered', () => {
  async function sample(): Promise<{ file: string; good: Buffer }> {
    const file = await newPath()
    await createLocalKeyFile({ file, rawKey: RAW_KEY, region: 'eu' })
    const provider = await open(file)
    await provider.createVersion(2)
    await provider.createVersion(3)
    await provider.destroyVersion(1)
    provider.close()
    return { file, good: await readFile(file) }
  }

  // Refused when opened and when met by a provider that has the file open, and never written over.
  async function assertRefused(file: string, altered: Uint8Array | string, what: string): Promise<void> {
    await writeFile(file, altered)
    const error = await localKeyProvider({ file, rawKey: RAW_KEY }).then(
      () => new Error('opened'),
      (reason: unknown) => reason,
    )
    expect(['root_key_file_invalid', 'wrong_passphrase'], `${what}: ${String(error)}`).toContain((error as { code?: string }).code)
    expect(Buffer.compare(await readFile(file), Buffer.from(altered)), what).toBe(0)
  }

  test('every byte, three ways', async () => {
    const { file, good } = await sample()
    for (let i = 0; i < good.length; i++) {
      for (const mask of [0x01, 0x20, 0x80]) {
        const altered = Buffer.from(good)
        altered[i] = (altered[i] as number) ^ mask
        await assertRefused(file, altered, `byte ${i} ^ ${mask}`)
      }
    }
    await writeFile(file, good)
    await open(file)
  })

  test('every length, and anything behind the end', async () => {
    const { file, good } = await sample()
    for (let length = 0; length < good.length; length++) await assertRefused(file, good.subarray(0, length), `cut to ${length}`)
    for (const more of [' ', '\n', '\0', '{}']) await assertRefused(file, Buffer.concat([good, Buffer.from(more)]), 'longer')
    await assertRefused(file, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), good]), 'a byte order mark')
    await assertRefused(file, Buffer.concat([good, Buffer.alloc(1_048_577, 0x20)]), 'too large')
    await writeFile(file, good)
    await open(file)
  })

  test('other spellings of the same content, and content that no release writes', async () => {
    const { file, good } = await sample()
    const document = await readDocument(file)
    const text = good.toString('utf8')
    const [first, ...rest] = document.versions
    const spellings: Record<string, string> = {
      'without spacing': JSON.stringify(document),
      'an unknown key': encodeDocument({ ...document, note: 1 }),
      'an unknown key of a version': encodeDocument({ ...document, versions: [{ ...first, note: 1 }, ...rest] }),
      'an unknown key of the protection': encodeDocument({ ...document, protection: { ...document.protection, memory: 65_536 } }),
      'a key twice': text.replace('"generation": 4', '"generation": 4,\n  "generation": 4'),
      'another order': encodeDocument(Object.fromEntries(Object.entries(document).reverse())),
      'another number': text.replace('"generation": 4', '"generation": 4.0'),
      'an escape': text.replace('"eu"', '"\\u0065u"'),
      'padded base64url': text.replace(`"${document.file}"`, `"${document.file}=="`),
      // The last character of 16 bytes holds two bits that mean nothing: lenient decoders read the same bytes from another one.
      'base64url with stray bits': text.replace(
        document.file,
        document.file.slice(0, -1) + { A: 'B', Q: 'R', g: 'h', w: 'x' }[document.file.at(-1) as string],
      ),
      'generation as text': encodeDocument({ ...document, generation: '4' }),
      'generation zero': encodeDocument({ ...document, generation: 0 }),
      'another format': encodeDocument({ ...document, format: 'strongroom-keys' }),
      'a newer format': encodeDocument({ ...document, formatVersion: 2 }),
      'no versions': encodeDocument({ ...document, versions: [] }),
      'versions out of order': encodeDocument({ ...document, versions: [...rest, first] }),
      'no live version': encodeDocument({ ...document, versions: [first], sealed: document.sealed.slice(0, 54) }),
      'a version without its id': encodeDocument({ ...document, versions: [{ ...first, id: undefined }, ...rest] }),
      'an empty region': encodeDocument({ ...document, region: '' }),
      'a lone surrogate': text.replace('"eu"', '"\\ud800"'),
      'another protection': encodeDocument({ ...document, protection: { kind: 'none', salt: document.protection.salt } }),
      'nothing but a list': '[]\n',
      'nothing but null': 'null\n',
    }
    for (const [what, spelling] of Object.entries(spellings)) {
      expect(spelling, what).not.toBe(text)
      await writeFile(file, spelling)
      await refused(localKeyProvider({ file, rawKey: RAW_KEY }), 'root_key_file_invalid')
      expect(await readFile(file, 'utf8'), what).toBe(spelling)
    }
    await writeFile(file, good)
    await open(file)
  })

  test('met by a provider that has the file open: no call succeeds, nothing is written, and the good file works again', async () => {
    const { file, good } = await sample()
    const provider = await open(file)
    const document = await readDocument(file)
    const wrapped = await provider.wrap(PLAINTEXT, { aad: AAD })
    for (const altered of [good.subarray(0, 100), Buffer.from(encodeDocument({ ...document, generation: 9 }))]) {
      await writeFile(file, altered)
      await refused(provider.versions(), 'root_key_file_invalid')
      await refused(provider.wrap(PLAINTEXT, { aad: AAD }), 'root_key_file_invalid')
      await refused(provider.unwrap(wrapped, { aad: AAD }), 'root_key_file_invalid')
      await refused(provider.createVersion(4), 'root_key_file_invalid')
      await refused(provider.destroyVersion(2), 'root_key_file_invalid')
      expect(Buffer.compare(await readFile(file), altered)).toBe(0)
    }
    await writeFile(file, good)
    expect(await provider.unwrap(wrapped, { aad: AAD })).toEqual(PLAINTEXT)
  })

  test.skipIf(process.platform === 'win32')('a file that group or others can use is refused, and says what to do', async () => {
    const { file } = await sample()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    for (const mode of [0o644, 0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666]) {
      await chmod(file, mode)
      expect((await refused(open(file), 'root_key_file_invalid')).message).toContain('chmod 600')
    }
    for (const mode of [0o400, 0o600]) {
      await chmod(file, mode)
      await open(file)
    }
  })
})
