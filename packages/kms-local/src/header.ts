/** What a root key file says in the clear, and the bytes that authenticate all of it. */

import { lpAll, u32, u64, u8, utf8 } from './bytes.ts'

/** Bytes of the file's id, of a version's id and of the salt. */
export const ID_BYTES = 16
export const SALT_BYTES = 16
/** Bytes of a root key, of a raw key and of the key that seals the file. */
export const KEY_BYTES = 32

/** How the root keys are protected. `memory` in KiB. */
export type Protection =
  | { readonly kind: 'argon2id'; readonly salt: Uint8Array; readonly memory: number; readonly passes: number }
  | { readonly kind: 'raw-key'; readonly salt: Uint8Array }

/** A version whose root key is in the file. Instants are UTC milliseconds. */
export interface LiveEntry {
  readonly state: 'live'
  readonly number: number
  readonly id: Uint8Array
  readonly created: number
}

/** A version whose root key is gone. Its number is never used again. */
export interface DestroyedEntry {
  readonly state: 'destroyed'
  readonly number: number
  readonly id: Uint8Array
  readonly created: number
  readonly destroyed: number
  /** Until when, by its owner's word, copies of the file that still hold the key may exist. */
  readonly copiesUntil: number
}

export type VersionEntry = LiveEntry | DestroyedEntry

export interface Header {
  /** Random, fixed when the file is made. */
  readonly fileId: Uint8Array
  /** 1 at first; every change of the file adds one. */
  readonly generation: number
  readonly region: string | undefined
  readonly protection: Protection
  /** In ascending order of number; at least one is live. */
  readonly versions: readonly VersionEntry[]
}

const LABEL = utf8('strongroom/v1/root-key-file')
// As stored; see README.md, "The file".
const PROTECTION_CODES = { argon2id: 1, 'raw-key': 2 } as const
const STATE_CODES = { live: 1, destroyed: 2 } as const

/**
 * The associated data of the sealed root keys: LP of each of label, file id, generation u64, region (empty: none), then the
 * protection and each version as below. Nothing in the header is outside of it.
 */
export function headerData(header: Header): Uint8Array {
  return lpAll(
    LABEL,
    header.fileId,
    u64(header.generation),
    utf8(header.region ?? ''),
    ...protectionFields(header.protection),
    ...header.versions.flatMap(versionFields),
  )
}

/** kind u8, salt, and for Argon2id memory u32 in KiB, passes u32. */
export function protectionFields(protection: Protection): readonly Uint8Array[] {
  const fields = [u8(PROTECTION_CODES[protection.kind]), protection.salt]
  return protection.kind === 'argon2id' ? [...fields, u32(protection.memory), u32(protection.passes)] : fields
}

/** number u32, id, state u8, created u64, and for destroyed ones destroyed u64, copies until u64. */
export function versionFields(version: VersionEntry): readonly Uint8Array[] {
  const fields = [u32(version.number), version.id, u8(STATE_CODES[version.state]), u64(version.created)]
  return version.state === 'destroyed' ? [...fields, u64(version.destroyed), u64(version.copiesUntil)] : fields
}
