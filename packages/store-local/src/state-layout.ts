import { invalidArgument } from '@strongroom/core'

/** Under which bytes the state store keeps its entries, and what their values are. All of it fits LMDB's byte order. */

const MAX_NAMESPACE = 256
const MAX_KEY = 512
const HEADER = 17
const VERSION = 1

// The first byte of a key says what it is of. A stored number never changes its meaning.
const Table = { entry: 0x01, due: 0x02, counter: 0x03 } as const

/** Where the number of the last write is. */
export const COUNTER: Uint8Array = Uint8Array.of(Table.counter)

/** What is stored under an entry's key: `format u8 | number of the write u64 | due instant plus one, or 0, u64 | value`. */
export interface StoredEntry {
  readonly write: number
  readonly due: number | undefined
  /** A view of the bytes that it was read from. */
  readonly value: Uint8Array
}

/** Where the entries of a namespace are: these bytes, then the UTF-8 of the key. */
export function entriesOf(namespace: string): Uint8Array {
  return join(Table.entry, namespaceBytes(namespace))
}

/** Where the due entries of a namespace are listed: these bytes, then the instant u64, then the UTF-8 of the key. */
export function dueListOf(namespace: string): Uint8Array {
  return join(Table.due, namespaceBytes(namespace))
}

export function entryKey(namespace: string, key: string): Uint8Array {
  return Buffer.concat([entriesOf(namespace), text(key, 'key', 1, MAX_KEY)])
}

export function dueKey(namespace: string, due: number, key: string): Uint8Array {
  return Buffer.concat([dueListOf(namespace), u64(due), text(key, 'key', 1, MAX_KEY)])
}

/** The beginning of a key, or the key after which a page begins: empty is allowed. */
export function partOfKey(part: string, argument: string): Uint8Array {
  return text(part, argument, 0, MAX_KEY)
}

export function encodeEntry({ write, due, value }: StoredEntry): Uint8Array {
  return join(VERSION, u64(write), u64(due === undefined ? 0 : due + 1), value)
}

/** Throws if the bytes are not those of an entry. */
export function decodeEntry(bytes: Uint8Array): StoredEntry {
  if (bytes.length < HEADER || bytes[0] !== VERSION) throw new Error('the entry was written by a later release, or is damaged')
  const due = readU64(bytes, 9)
  return { write: readU64(bytes, 1), due: due === 0 ? undefined : due - 1, value: bytes.subarray(HEADER) }
}

/** A whole number up to 2^53 as eight bytes, whose order is that of the numbers. */
export function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

export function readU64(bytes: Uint8Array, at: number): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(at))
}

// With its length before it, so that no namespace is the beginning of another.
function namespaceBytes(namespace: string): Uint8Array {
  const bytes = text(namespace, 'namespace', 1, MAX_NAMESPACE)
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes])
}

function text(value: string, argument: string, least: number, most: number): Uint8Array {
  if (typeof value !== 'string' || !value.isWellFormed()) throw invalidArgument(argument, 'must be a string without lone surrogates')
  const bytes = Buffer.from(value)
  if (bytes.length < least || bytes.length > most) throw invalidArgument(argument, `must have ${least} to ${most} UTF-8 bytes`)
  return bytes
}

function join(first: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(first), ...parts])
}
