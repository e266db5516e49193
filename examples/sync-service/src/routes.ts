/** What the service does for an organisation. */

import { createHmac } from 'node:crypto'

import { equalBytes, StrongroomError, type Subject } from '@strongroom/core'

import type { Configuration } from './configuration.ts'
import { Refusal } from './errors.ts'
import type { Store } from './store.ts'

export interface Call extends Pick<Store, 'credentials'> {
  readonly configuration: Configuration
  /** The organisation that calls. */
  readonly owner: Subject
  /** The access key, which this browser or program alone has. */
  readonly session: string
  /** The one in the path: of a connection, and of its provider. */
  readonly name: string
  /** The whole URL, as the customer's browser has it. */
  readonly url: URL
  body(): Promise<string>
}

export const ROUTES: Readonly<Record<string, (call: Call) => Promise<object>>> = {
  /** What is known of the connections; no token is opened for it. */
  async 'GET /connections'({ credentials, owner }) {
    const connections = []
    for await (const connection of credentials.list(owner)) connections.push(connection)
    return { connections }
  },

  /** Where to send the customer's browser, which comes back to `/connected`. */
  async 'POST /connections/:name'({ credentials, owner, name, session, configuration }) {
    const redirectUri = new URL('/connected', configuration.PUBLIC_URL).href
    return { url: await credentials.authorizationUrl(owner, name, { redirectUri, session }) }
  },

  async 'GET /connected'({ credentials, url, session }) {
    const connection = await credentials.callback(url, { session })
    return { connected: await connection.status() }
  },

  /** Keeps a key or a secret that the customer has entered, as it was sent: what may be kept is decided by its kind. */
  async 'PUT /connections/:name'({ credentials, owner, name, body }) {
    const connection = credentials.connection(owner, name)
    await connection.save(parsed(await body()))
    return { connected: await connection.status() }
  },

  /** The contacts are counted, and let go with the answer. */
  async 'POST /connections/:name/sync'({ credentials, owner, name, configuration }) {
    const response = await credentials.connection(owner, name).fetch(new URL('/contacts', configuration.CRM_URL))
    if (!response.ok) throw new Refusal(502, `crm_answered_${response.status}`)
    const { contacts } = (await response.json()) as { readonly contacts: readonly unknown[] }
    return { contacts: contacts.length }
  },

  async 'DELETE /connections/:name'({ credentials, owner, name }) {
    const { revocation } = await credentials.connection(owner, name).disconnect()
    return { revocation }
  },
}

/** What the CRM tells an organisation: by whom it is sent, the signature says alone. @throws Refusal 401 */
export async function receiveWebhook(
  { credentials, vault }: Store,
  organisation: string,
  signature: string,
  body: string,
): Promise<object> {
  const isGenuine = await credentials
    .connection(vault.tenant(organisation).self(), 'crm-webhooks')
    .use((secret) => equalBytes(Buffer.from(signature, 'hex'), createHmac('sha256', secret.reveal()).update(body).digest()))
    .catch(unlessNotFound)
  if (!isGenuine) throw new Refusal(401, 'signature_invalid')
  return { received: true }
}

function unlessNotFound(error: unknown): false {
  if (error instanceof StrongroomError && error.code === 'not_found') return false
  throw error
}

// Whatever `JSON.parse` says may quote what it was given.
function parsed(json: string): never {
  try {
    return JSON.parse(json) as never
  } catch {
    throw new Refusal(400, 'must_be_json')
  }
}
