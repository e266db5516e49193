/**
 * Key store records as bytes: a version byte, then the record as tagged values. Every field comes back as it was, those
 * that a later release adds included; fields that are `undefined` are left out.
 */

import { invalidArgument, type KeyStoreRecord } from '@strongroom/core'

const VERSION = 1
const Tag = { false: 0, true: 1, number: 2, text: 3, bytes: 4, list: 5, record: 6 } as const

/** @throws StrongroomError `invalid_argument` if a field is of a type that no record has. */
export function encodeRecord(record: KeyStoreRecord): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(VERSION)]
  write(record, parts)
  return Buffer.concat(parts)
}

/** Byte fields are copies. Throws if the bytes are not those of one record. */
export function decodeRecord(bytes: Uint8Array): KeyStoreRecord {
  const reader = new Reader(bytes)
  if (reader.byte() !== VERSION) throw new Error('the record was written by a later release, or is damaged')
  const record = reader.value()
  reader.end()
  return record as KeyStoreRecord
}

function write(value: unknown, parts: Uint8Array[]): void {
  if (typeof value === 'boolean') parts.push(Uint8Array.of(value ? Tag.true : Tag.false))
  else if (typeof value === 'number') parts.push(number(value))
  else if (typeof value === 'string') writeText(Tag.text, value, parts)
  else if (value instanceof Uint8Array) parts.push(header(Tag.bytes, value.length), value)
  else if (Array.isArray(value)) {
    parts.push(header(Tag.list, value.length))
    for (const item of value) write(item, parts)
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    parts.push(header(Tag.record, fields.length))
    for (const [name, field] of fields) {
      writeText(Tag.text, name, parts)
      write(field, parts)
    }
  } else throw invalidArgument('record', 'must hold numbers, strings, booleans, bytes, lists and records only')
}

function writeText(tag: number, text: string, parts: Uint8Array[]): void {
  if (!text.isWellFormed()) throw invalidArgument('record', 'must not hold lone surrogates')
  const bytes = Buffer.from(text)
  parts.push(header(tag, bytes.length), bytes)
}

function number(value: number): Uint8Array {
  const bytes = Buffer.alloc(9, Tag.number)
  bytes.writeDoubleBE(value, 1)
  return bytes
}

function header(tag: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(5, tag)
  bytes.writeUInt32BE(length, 1)
  return bytes
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1))
  }

  value(): unknown {
    const tag = this.byte()
    switch (tag) {
      case Tag.false:
      case Tag.true:
        return tag === Tag.true
      case Tag.number:
        return this.#bytes.readDoubleBE(this.#advance(8))
      case Tag.text:
        return this.#take().toString()
      case Tag.bytes:
        return Uint8Array.from(this.#take())
      case Tag.list:
        return Array.from({ length: this.#length() }, () => this.value())
      case Tag.record:
        return Object.fromEntries(Array.from({ length: this.#length() }, () => [this.value(), this.value()]))
      default:
        throw new Error('the record is damaged')
    }
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Error('the record is damaged')
  }

  #take(): Buffer {
    const length = this.#length()
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  // Of bytes or of items; an item has at least one byte, so that a damaged length cannot ask for more than there is.
  #length(): number {
    const length = this.#bytes.readUInt32BE(this.#advance(4))
    if (length > this.#bytes.length - this.#at) throw new Error('the record is damaged')
    return length
  }

  #advance(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start) throw new Error('the record is damaged')
    this.#at += length
    return start
  }
}
