// Everything that comes out of the models of a test file: the lines, the driver's events and logs, what Mongoose prints and tells of, errors, the console.
import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { format } from 'node:util'

import type { MongoClientOptions } from 'mongodb'
import type { Connection, Mongoose } from 'mongoose'

import { type Canary, type Needle, needlesOf } from '../proof/forms.ts'
import { overhear } from '../proof/overhear.ts'
import { type Channel, type Finding, Witness } from '../proof/witness.ts'

/** Stands in encrypted texts, of this run alone. */
export const CANARY = `canary${randomBytes(6).toString('hex')}`

const canaries: Canary[] = [{ name: 'canary', value: CANARY }]

/** Another value that is encrypted wherever it stands. */
export function canary<T extends Canary['value']>(name: string, value: T): T {
  canaries.push({ name, value })
  return value
}

export const witness = new Witness()

/** Where something came out that is encrypted; of several of one kind one. */
export function findings(needles: readonly Needle[] = needlesOf(canaries)): readonly Finding[] {
  const found = new Map(witness.findings(needles).map((each) => [`${each.channel} ${each.where} ${each.canary}`, each]))
  return [...found.values()]
}

/** A driver tells of all that it does. */
export const TALKATIVE: MongoClientOptions = {
  monitorCommands: true,
  heartbeatFrequencyMS: 600_000,
  mongodbLogPath: { write: (log) => witness.object('driver log', log.c, log) },
  mongodbLogComponentSeverities: { default: 'trace' },
  mongodbLogMaxDocumentLength: 1_000_000,
}

const EVENTS = ['operation-start', 'operation-end', 'buffer', 'buffer-end', 'error', 'disconnected', 'reconnected']

/** Before it is opened. */
export function hearConnection(connection: Connection): Connection {
  for (const name of EVENTS)
    connection.on(name, (...told: unknown[]) => {
      for (const each of told) if (each instanceof Error) witness.error(name, each)
      witness.object('told by Mongoose', name, told)
    })
  for (const name of ['commandStarted', 'commandSucceeded', 'commandFailed'])
    connection.on(name, (event: { readonly commandName: string }) => witness.object('command', `${name}: ${event.commandName}`, event))
  return connection
}

/** Has Mongoose print what it does, in each of its ways. */
export function hearDebug(base: Mongoose): void {
  base.set('debug', function (this: unknown, name: string, method: string, ...args: unknown[]) {
    const to = (where: string): [Channel, string] => ['printed by Mongoose', `${name}.${method} to ${where}`]
    witness.object(...to('a function'), args)
    const printers = this as Record<'$print' | '$printToStream', (...given: unknown[]) => void>
    const stream = new Writable({ write: (chunk, _, done) => (witness.text(...to('a stream'), String(chunk)), done()) })
    printers.$printToStream(name, method, args, stream)
    const say = console.info
    console.info = (...said: unknown[]) => witness.text(...to('the console'), format(...said))
    try {
      printers.$print(name, method, args, false, true)
    } finally {
      console.info = say
    }
  } as never)
}

/** What a call throws, which is heard. */
export async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    witness.error('thrown', error)
    return error
  }
  return undefined
}

/** @returns what ends it */
export function hearProcess(): () => void {
  return overhear(witness)
}
