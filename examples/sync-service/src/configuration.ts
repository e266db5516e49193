/** What the programs are told by their environment. */

import { readFileSync } from 'node:fs'

import { Secret } from '@strongroom/core'
import { z } from 'zod'

const Environment = z.object({
  MONGODB_URI: z.string().regex(/^mongodb(\+srv)?:\/\//u),
  DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/u)
    .default('sync'),
  ROOT_KEY_FILE: z.string().min(1),
  PASSPHRASE_FILE: z.string().min(1),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  PUBLIC_URL: z.url(),
  CRM_URL: z.url(),
  CRM_CLIENT_SECRET: z.string().min(1),
})

export type Configuration = Omit<z.output<typeof Environment>, 'CRM_CLIENT_SECRET'> & {
  readonly passphrase: Secret<string>
  readonly crmClientSecret: Secret<string>
}

/** @throws Error naming the variables that are missing or wrong, and showing no value */
export function readConfiguration(): Configuration {
  const { data, error } = Environment.safeParse(process.env)
  if (error) throw new Error(`missing or wrong: ${error.issues.map(({ path }) => path.join()).join(', ')}`)
  const { CRM_CLIENT_SECRET, ...rest } = data
  const passphrase = new Secret(readFileSync(data.PASSPHRASE_FILE, 'utf8').trimEnd())
  return { ...rest, passphrase, crmClientSecret: new Secret(CRM_CLIENT_SECRET) }
}
