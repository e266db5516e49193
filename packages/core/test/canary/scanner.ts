// Looks for known secrets in everything that leaves the library, channel by channel.
import { inspect } from 'node:util'

/** Where a secret could come out. */
export const CHANNELS = [
  'error message',
  'error stack',
  'error cause',
  'error as JSON',
  'error inspected',
  'console',
  'object inspected',
  'object as JSON',
  'object cloned',
  'key store',
  'state store',
] as const
export type Channel = (typeof CHANNELS)[number]

export interface Canary {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface Finding {
  readonly channel: Channel
  readonly where: string
  readonly canary: string
  readonly form: string
}

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')

/** Every form in which a canary could be written. Base64 has three, by where the bytes begin. */
function formsOf({ bytes }: Canary): readonly (readonly [string, Buffer])[] {
  const raw = Buffer.from(bytes)
  const hex = raw.toString('hex')
  const forms: [string, Buffer][] = [
    ['raw', raw],
    ['utf16', utf16(raw.toString('latin1'))],
    ['latin1 as utf8', Buffer.from(raw.toString('latin1'), 'utf8')],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    ['hex with blanks', Buffer.from((hex.match(/../g) ?? []).join(' '))],
    ['decimals', Buffer.from([...raw].join(','))],
    ['decimals as inspected', Buffer.from([...raw].join(', '))],
    ['decimals by index', Buffer.from([...raw].map((byte, i) => `"${i}":${byte}`).join(','))],
  ]
  for (const shift of [0, 1, 2]) {
    // What does not depend on the neighbours.
    const base64 = Buffer.concat([Buffer.alloc(shift), raw])
      .toString('base64')
      .replaceAll('=', '')
    const inner = base64.slice(shift === 0 ? 0 : shift + 1, base64.length - 2)
    forms.push(
      [`base64 +${shift}`, Buffer.from(inner)],
      [`base64url +${shift}`, Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_'))],
    )
  }
  return forms
}

/** Collects what comes out, and says what of it holds a canary. */
export class Scanner {
  readonly #seen: { readonly channel: Channel; readonly where: string; readonly bytes: Buffer }[] = []
  readonly #plant: Channel | undefined
  readonly #planted: Uint8Array

  /** @param plant - a channel into which one canary is put on purpose, to show that this scanner would find it there */
  constructor(plant?: Channel, planted: Uint8Array = new Uint8Array(0)) {
    this.#plant = plant
    this.#planted = planted
  }

  get seen(): Readonly<Record<Channel, number>> {
    return Object.fromEntries(CHANNELS.map((channel) => [channel, this.#seen.filter((each) => each.channel === channel).length])) as Record<
      Channel,
      number
    >
  }

  text(channel: Channel, where: string, text: string): void {
    const planted = this.#plant === channel ? `${text}${Buffer.from(this.#planted).toString('base64')}` : text
    // As it is, and with no line break of inspect that could hide anything.
    for (const form of new Set([planted, planted.replaceAll(/\s+/g, ' ')])) this.#seen.push({ channel, where, bytes: Buffer.from(form) })
  }

  bytes(channel: Channel, where: string, bytes: Uint8Array): void {
    const planted = this.#plant === channel ? Buffer.concat([bytes, this.#planted]) : Buffer.from(bytes)
    this.#seen.push({ channel, where, bytes: planted })
  }

  error(where: string, thrown: unknown): void {
    const seen = new Set<unknown>()
    for (let error = thrown, depth = 0; error !== undefined && !seen.has(error) && depth < 10; depth++) {
      seen.add(error)
      if (!(error instanceof Error)) {
        this.text('error cause', where, inspect(error, { depth: Infinity, showHidden: true }))
        break
      }
      this.text(depth === 0 ? 'error message' : 'error cause', where, error.message)
      this.text('error stack', where, error.stack ?? '')
      this.text('error as JSON', where, `${JSON.stringify(error)} ${JSON.stringify(Object.entries(error))}`)
      this.text(
        'error inspected',
        where,
        inspect(error, { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null }),
      )
      error = error.cause
    }
  }

  object(where: string, value: unknown): void {
    for (const options of [{}, { customInspect: false }]) {
      this.text(
        'object inspected',
        where,
        inspect(value, { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null, ...options }),
      )
    }
    this.text('object as JSON', where, jsonOf(value))
    try {
      this.text(
        'object cloned',
        where,
        inspect(structuredClone(value), { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null }),
      )
    } catch {
      // What holds functions cannot be cloned.
      this.text('object cloned', where, '')
    }
  }

  /** What a store holds: its strings as they are, its bytes as they are, and all of it as text. */
  store(channel: 'key store' | 'state store', snapshot: unknown): void {
    const walk = (value: unknown): void => {
      if (value instanceof Uint8Array) this.bytes(channel, 'bytes', value)
      else if (typeof value === 'string') this.text(channel, 'text', value)
      else if (typeof value === 'object' && value !== null) for (const each of Object.entries(value).flat()) walk(each)
    }
    walk(snapshot)
  }

  findings(canaries: readonly Canary[]): Finding[] {
    const found: Finding[] = []
    const forms = canaries.map((canary) => [canary.name, formsOf(canary)] as const)
    for (const { channel, where, bytes } of this.#seen) {
      for (const [canary, all] of forms) {
        for (const [form, needle] of all) if (bytes.includes(needle)) found.push({ channel, where, canary, form })
      }
    }
    return found
  }
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field)) ?? ''
  } catch {
    return ''
  }
}
