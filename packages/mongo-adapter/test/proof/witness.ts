// Hears everything that leaves the process or comes to it, channel by channel, and says where a canary is in it.
import { inspect } from 'node:util'

import { BSON } from 'mongodb'

import { lowered, type Needle } from './forms.ts'

/** Where a value could come out. */
export const CHANNELS = [
  'sent',
  'received',
  'command',
  'sent by the stores',
  'received by the stores',
  'command of the stores',
  'driver log',
  'error message',
  'error stack',
  'error cause',
  'error as JSON',
  'error inspected',
  'error of the server',
  'console',
  'warning',
  'printed by Mongoose',
  'told by Mongoose',
  'explain',
  'stored',
  'stored by the stores',
  'oplog',
] as const
export type Channel = (typeof CHANNELS)[number]

export interface Finding {
  readonly channel: Channel
  readonly where: string
  readonly canary: string
  readonly form: string
}

interface Heard {
  readonly channel: Channel
  readonly where: string
  readonly raw: Buffer
  readonly folded: Buffer
}

const WHOLE = { depth: 12, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null, breakLength: Infinity } as const

export class Witness {
  readonly #heard: Heard[] = []

  /** What was heard since the last `forget`, in bytes. */
  heard(channel: Channel): number {
    return this.#heard.reduce((sum, each) => sum + (each.channel === channel ? each.raw.length : 0), 0)
  }

  forget(): void {
    this.#heard.length = 0
  }

  bytes(channel: Channel, where: string, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#heard.push({ channel, where, raw: Buffer.from(bytes), folded: lowered(bytes) })
  }

  text(channel: Channel, where: string, text: string): void {
    // As it is, and with no blank or line break of a printer that could part what belongs together.
    for (const form of new Set([text, text.replaceAll(/\s+/g, ' '), text.replaceAll(/\s+/g, '')]))
      this.bytes(channel, where, Buffer.from(form))
  }

  /** An event, a log line, an answer. */
  object(channel: Channel, where: string, value: unknown): void {
    this.text(channel, where, inspect(value, WHOLE))
    this.text(channel, where, printed(value))
  }

  /** A thrown error, with all that it carries. */
  error(where: string, thrown: unknown): void {
    const met = new Set<unknown>()
    for (
      let error = thrown;
      error !== undefined && error !== null && !met.has(error);
      error = (error as { readonly cause?: unknown }).cause
    ) {
      met.add(error)
      if (met.size > 1) this.object('error cause', where, error)
      if (!(error instanceof Error)) {
        this.object('error message', where, error)
        return
      }
      this.text(met.size === 1 ? 'error message' : 'error cause', where, error.message)
      this.text('error stack', where, error.stack ?? '')
      this.text('error as JSON', where, printed(error))
      this.text('error inspected', where, inspect(error, WHOLE))
      for (const name of ['errInfo', 'errorLabels', 'errorLabelSet', 'errorResponse', 'keyPattern', 'keyValue', 'result', 'writeErrors']) {
        const carried: unknown = Reflect.get(error, name)
        if (carried !== undefined) this.object('error of the server', `${where}, ${name}`, carried)
      }
    }
  }

  findings(needles: readonly Needle[]): Finding[] {
    const found: Finding[] = []
    for (const { channel, where, raw, folded } of this.#heard)
      for (const needle of needles)
        if ((needle.folded ? folded : raw).includes(needle.bytes)) found.push({ channel, where, canary: needle.canary, form: needle.form })
    return found
  }
}

function printed(value: unknown): string {
  try {
    const plain = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? ''
    return `${plain} ${BSON.EJSON.stringify(value as object)}`
  } catch {
    // What holds itself has no such form.
    return ''
  }
}
