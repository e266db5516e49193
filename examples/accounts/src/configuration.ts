/** What the programs are told by their environment, and by their arguments. */

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { Secret } from '@strongroom/core'
import { z } from 'zod'

import { StartError } from './errors.ts'

const Environment = z.object({
  MONGODB_URI: z.string().regex(/^mongodb(\+srv)?:\/\//u),
  DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/u)
    .default('accounts'),
  ROOT_KEY_FILE: z.string().min(1),
  PASSPHRASE_FILE: z.string().min(1),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
})

export interface Configuration extends z.output<typeof Environment> {
  readonly passphrase: Secret<string>
  /** Whether the data is read and written by models of Mongoose. */
  readonly mongoose: boolean
}

/** @throws StartError naming the variables that are missing or wrong */
export function readConfiguration(): Configuration {
  const { mongoose } = readArguments()
  const { data, error } = Environment.safeParse(process.env)
  if (error) throw new StartError(`missing or wrong: ${error.issues.map(({ path }) => path.join()).join(', ')}`)
  try {
    return { ...data, mongoose, passphrase: new Secret(readFileSync(data.PASSPHRASE_FILE, 'utf8').trimEnd()) }
  } catch {
    throw new StartError('PASSPHRASE_FILE cannot be read')
  }
}

/** `--mongoose`, and what else is given, by its place. @throws StartError */
export function readArguments(): { readonly mongoose: boolean; readonly given: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ options: { mongoose: { type: 'boolean', default: false } }, allowPositionals: true })
    return { mongoose: values.mongoose, given: positionals }
  } catch {
    throw new StartError('the one option that there is: --mongoose')
  }
}
