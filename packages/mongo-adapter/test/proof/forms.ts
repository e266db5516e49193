// Every form in which a known value could be written where it must not be.
import { Decimal128, Double } from 'mongodb'

/** A value that must come out nowhere. */
export interface Canary {
  readonly name: string
  readonly value: string | number | bigint | Date | Uint8Array
}

/** What is searched for. `folded`: without regard to ASCII case. */
export interface Needle {
  readonly canary: string
  readonly form: string
  readonly bytes: Buffer
  readonly folded: boolean
}

/** Every form of every canary. */
export function needlesOf(canaries: readonly Canary[]): readonly Needle[] {
  return canaries.flatMap(({ name, value }) => {
    const texts = textsOf(value).flatMap(([form, text]) =>
      (
        [
          [`${form} as UTF-8`, Buffer.from(text)],
          [`${form} as UTF-16 LE`, Buffer.from(text, 'utf16le')],
          [`${form} as UTF-16 BE`, Buffer.from(text, 'utf16le').swap16()],
        ] as const
      ).flatMap(([encoding, bytes]) => writings(encoding, bytes)),
    )
    const all = [...texts, ...binaryOf(value).flatMap(([form, bytes]) => writings(form, bytes))]
    return all.map((each) => ({ canary: name, ...each }))
  })
}

/** The texts that a value may be written as: as it is, and as something normalises or prints it. */
function textsOf(value: Canary['value']): readonly (readonly [string, string])[] {
  if (value instanceof Uint8Array) return []
  if (value instanceof Date)
    return [
      ['ISO date', value.toISOString()],
      ['day', value.toISOString().slice(0, 10)],
      ['milliseconds', String(value.getTime())],
      ['UTC date', value.toUTCString()],
    ]
  if (typeof value !== 'string') return [['decimal', String(value)]]
  const forms: [string, string][] = [
    ['as it is', value],
    ['NFC', value.normalize('NFC')],
    ['NFD', value.normalize('NFD')],
    ['NFKC, lower case, one blank', value.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()],
    ['upper case', value.toUpperCase()],
    ['URL', encodeURIComponent(value)],
    ['JSON', JSON.stringify(value).slice(1, -1)],
  ]
  const [local, domain] = value.trim().toLowerCase().split('@')
  if (domain !== undefined) forms.push(['local part of the e-mail address', local as string], ['domain of the e-mail address', domain])
  const digits = value.replaceAll(/\D/g, '')
  if (/^\s*\+/.test(value)) forms.push(['digits', digits], ['digits without the country', digits.slice(2)])
  // Many are the same.
  return forms.filter(([, text], i) => forms.findIndex(([, other]) => other === text) === i)
}

/** The bytes that a value may be stored as. */
function binaryOf(value: Canary['value']): readonly (readonly [string, Buffer])[] {
  if (value instanceof Uint8Array) return [['bytes', Buffer.from(value)]]
  if (typeof value === 'string') return []
  const number = value instanceof Date ? value.getTime() : value
  const forms: [string, Buffer][] = []
  const put = (form: string, length: number, write: (buffer: Buffer, endian: 'LE' | 'BE') => unknown): void => {
    for (const endian of ['LE', 'BE'] as const) {
      const buffer = Buffer.alloc(length)
      write(buffer, endian)
      forms.push([`${form} ${endian}`, buffer])
    }
  }
  const integer = typeof number === 'bigint' ? number : Number.isSafeInteger(number) ? BigInt(number) : undefined
  if (integer !== undefined && integer === BigInt.asIntN(32, integer)) {
    // Four bytes alone would be met by chance: in BSON the end of a name stands before them, in a frame the type.
    for (const before of [0x00, 0x10])
      put(`int32 after ${before}`, 5, (buffer, endian) => {
        buffer[0] = before
        buffer[`writeInt32${endian}`](Number(integer), 1)
      })
  }
  if (integer !== undefined) put('int64', 8, (buffer, endian) => buffer[`writeBigInt64${endian}`](integer))
  put('double', 8, (buffer, endian) => buffer[`writeDouble${endian}`](new Double(Number(number)).value))
  forms.push(['decimal128', Buffer.from(Decimal128.fromString(String(number)).bytes)])
  return forms
}

/** The ways to write bytes down. Of base64 there are three, by where the bytes begin. */
function writings(form: string, bytes: Buffer): readonly Omit<Needle, 'canary'>[] {
  const out: Omit<Needle, 'canary'>[] = [
    { form, bytes: lowered(bytes), folded: true },
    { form: `hex of ${form}`, bytes: Buffer.from(bytes.toString('hex')), folded: true },
    { form: `hex with blanks of ${form}`, bytes: Buffer.from((bytes.toString('hex').match(/../g) ?? []).join(' ')), folded: true },
    { form: `decimals of ${form}`, bytes: Buffer.from([...bytes].join(',')), folded: true },
  ]
  for (const shift of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // What does not depend on the neighbours.
    const inner = text.slice(shift === 0 ? 0 : shift + 1, text.length - 2)
    // What is shorter is met by chance.
    if (inner.length < SHORTEST_BASE64) continue
    out.push({ form: `base64 of ${form}, ${shift} on`, bytes: Buffer.from(inner), folded: false })
    const url = inner.replaceAll('+', '-').replaceAll('/', '_')
    if (url !== inner) out.push({ form: `base64url of ${form}, ${shift} on`, bytes: Buffer.from(url), folded: false })
  }
  return out
}

const SHORTEST_BASE64 = 7

/** ASCII letters in lower case, all other bytes as they are. */
export function lowered(bytes: Uint8Array): Buffer {
  const out = Buffer.from(bytes)
  for (let i = 0; i < out.length; i++) {
    const byte = out[i] as number
    if (byte >= 0x41 && byte <= 0x5a) out[i] = byte + 0x20
  }
  return out
}
