/** The root key file as text: JSON of one fixed shape, which README.md documents. What parses encodes to the same bytes. */

import { equalBytes } from '@strongroom/core'

import { withinBounds } from './argon2id.ts'
import { fromBase64url, toBase64url, utf8 } from './bytes.ts'
import { fileInvalid } from './errors.ts'
import { type Header, ID_BYTES, KEY_BYTES, type Protection, SALT_BYTES, type VersionEntry } from './header.ts'
import { isRegion, isWhole, LAST_INSTANT, LAST_NUMBER } from './limits.ts'

const FORMAT = 'strongroom-root-keys'
const FORMAT_VERSION = 1
// Of xaesSeal: nonce 24, tag 16.
const SEAL_OVERHEAD = 40

/** A file taken apart: nothing in it is authentic before `sealed` opens. */
export interface RootKeyFile {
  readonly header: Header
  /** nonce 24 ‖ the root keys of the live versions, in their order ‖ tag 16. */
  readonly sealed: Uint8Array
}

/** The exact bytes of a file. */
export function encodeFile({ header, sealed }: RootKeyFile): Uint8Array {
  const document = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    file: toBase64url(header.fileId),
    generation: header.generation,
    region: header.region ?? null,
    protection: protectionDocument(header.protection),
    versions: header.versions.map(versionDocument),
    sealed: toBase64url(sealed),
  }
  return utf8(`${JSON.stringify(document, null, 2)}\n`)
}

function protectionDocument(protection: Protection): Fields {
  const salt = toBase64url(protection.salt)
  if (protection.kind === 'raw-key') return { kind: protection.kind, salt }
  return { kind: protection.kind, salt, memory: protection.memory, passes: protection.passes }
}

function versionDocument(version: VersionEntry): Fields {
  const { number, state, created } = version
  const fields = { number, id: toBase64url(version.id), state, created }
  return state === 'destroyed' ? { ...fields, destroyed: version.destroyed, copiesUntil: version.copiesUntil } : fields
}

/**
 * Takes a file apart, strictly, and checks every bound, those of Argon2id too.
 *
 * @throws StrongroomError `root_key_file_invalid`
 */
export function parseFile(bytes: Uint8Array): RootKeyFile {
  const document = json(bytes)
  if (document['format'] !== FORMAT) throw damaged()
  if (document['formatVersion'] !== FORMAT_VERSION) throw fileInvalid('is of a format version that this release does not know')
  const versions = list(document['versions']).map(parseVersion)
  const live = versions.filter(({ state }) => state === 'live').length
  const ascending = versions.every(({ number }, i) => i === 0 || number > (versions[i - 1] as VersionEntry).number)
  if (live === 0 || !ascending) throw damaged()
  const file: RootKeyFile = {
    header: {
      fileId: base64url(document['file'], ID_BYTES),
      generation: whole(document['generation'], 1, Number.MAX_SAFE_INTEGER),
      region: region(document['region']),
      protection: parseProtection(object(document['protection'])),
      versions,
    },
    sealed: base64url(document['sealed'], SEAL_OVERHEAD + live * KEY_BYTES),
  }
  // Refuses, all at once, unknown and repeated keys, other orders and spacing, and other spellings of numbers, strings and base64url.
  if (!equalBytes(encodeFile(file), bytes)) throw damaged()
  return file
}

function parseProtection(fields: Fields): Protection {
  const salt = base64url(fields['salt'], SALT_BYTES)
  if (fields['kind'] === 'raw-key') return { kind: 'raw-key', salt }
  if (fields['kind'] !== 'argon2id') throw damaged()
  const memory = whole(fields['memory'], 0, Number.MAX_SAFE_INTEGER)
  const passes = whole(fields['passes'], 0, Number.MAX_SAFE_INTEGER)
  if (!withinBounds({ memory, passes })) throw fileInvalid('asks for Argon2id parameters outside of the accepted bounds: it was altered')
  return { kind: 'argon2id', salt, memory, passes }
}

function parseVersion(value: unknown): VersionEntry {
  const fields = object(value)
  const { state } = fields
  const entry = {
    number: whole(fields['number'], 1, LAST_NUMBER),
    id: base64url(fields['id'], ID_BYTES),
    created: whole(fields['created'], 0, LAST_INSTANT),
  }
  if (state === 'live') return { state, ...entry }
  if (state !== 'destroyed') throw damaged()
  const destroyed = whole(fields['destroyed'], 0, LAST_INSTANT)
  return { state, ...entry, destroyed, copiesUntil: whole(fields['copiesUntil'], destroyed, LAST_INSTANT) }
}

type Fields = Readonly<Record<string, unknown>>

function json(bytes: Uint8Array): Fields {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // Without its cause: the message of JSON.parse quotes the text.
    throw damaged()
  }
  return object(value)
}

function object(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged()
  return value as Fields
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw damaged()
  return value
}

function whole(value: unknown, least: number, most: number): number {
  if (!isWhole(value, least, most)) throw damaged()
  return value
}

function region(value: unknown): string | undefined {
  if (value === null) return undefined
  if (!isRegion(value)) throw damaged()
  return value
}

function base64url(value: unknown, length: number): Uint8Array {
  if (typeof value !== 'string') throw damaged()
  const bytes = fromBase64url(value)
  if (bytes.length !== length) throw damaged()
  return bytes
}

function damaged(): Error {
  return fileInvalid('is damaged, cut short, or not a root key file: put the newest copy of it back')
}
