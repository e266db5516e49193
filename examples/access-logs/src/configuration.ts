/** What the programs are told by their environment. */

import { readFileSync } from 'node:fs'

import { Secret } from '@strongroom/core'
import { z } from 'zod'

const Environment = z.object({
  MONGODB_URI: z.string().regex(/^mongodb(\+srv)?:\/\//u),
  DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/u)
    .default('images'),
  ROOT_KEY_FILE: z.string().min(1),
  PASSPHRASE_FILE: z.string().min(1),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  /** The proxies in front of the service, with commas between them. */
  PROXIES: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((proxy) => proxy !== '')),
  /** For the demonstration: days by which the clock is ahead, to see what is left after them. */
  DAYS_AHEAD: z.coerce.number().int().min(0).default(0),
})

export type Configuration = z.output<typeof Environment> & { readonly passphrase: Secret<string> }

/** @throws Error naming the variables that are missing or wrong, and showing no value */
export function readConfiguration(): Configuration {
  const { data, error } = Environment.safeParse(process.env)
  if (error) throw new Error(`missing or wrong: ${error.issues.map(({ path }) => path.join()).join(', ')}`)
  return { ...data, passphrase: new Secret(readFileSync(data.PASSPHRASE_FILE, 'utf8').trimEnd()) }
}
