// The CRM in a process of its own, for the demonstration and the tests.
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { startProgram } from '../../../tools/services/programs.mjs'

const random = () => randomBytes(24).toString('base64url')

/** What the CRM and the service both know. Nothing listens at the URL: whoever plays the browser takes the path behind it to the service. */
export const SETTINGS = { PUBLIC_URL: 'https://sync.example', CRM_CLIENT_SECRET: random() }
/** The one that it gives to its customers. */
export const CRM_API_KEY = random()

/** @returns as `startProgram`, and `seen`: what its operator sees */
export async function startCrm() {
  const crm = await startProgram(fileURLToPath(new URL('crm.mjs', import.meta.url)), { ...SETTINGS, CRM_API_KEY })
  return { ...crm, seen: async () => (await crm.call('GET', '/operator')).body }
}
