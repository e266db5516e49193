/** What the service does for an organisation. */

import { createHmac, randomUUID } from 'node:crypto'

import { equalBytes, StrongroomError, type Subject } from '@strongroom/core'

import type { Configuration } from './configuration.ts'
import { Refusal } from './errors.ts'
import type { Store } from './store.ts'

export interface Call extends Omit<Store, 'accessKeys'> {
  readonly configuration: Configuration
  /** The organisation that calls: its id, and what is its own. */
  readonly organisation: string
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

  /** The contacts are counted, and let go with the answer; what stays is by which id each is known here. */
  async 'POST /connections/:name/sync'({ credentials, mappings, syncLogs, organisation: orgId, owner, name, configuration }) {
    const response = await credentials.connection(owner, name).fetch(new URL('/contacts', configuration.CRM_URL))
    if (!response.ok) throw new Refusal(502, `crm_answered_${response.status}`)
    const { contacts } = (await response.json()) as { readonly contacts: readonly unknown[] }
    for (const number of contacts.keys())
      await mappings.updateOne({ _id: `${orgId}/${number}`, orgId }, { $setOnInsert: { ours: randomUUID() } }, { upsert: true })
    await syncLogs.insertOne({ orgId, at: new Date(), connection: name, contacts: contacts.length })
    return { contacts: contacts.length }
  },

  async 'DELETE /connections/:name'({ credentials, owner, name }) {
    const { revocation } = await credentials.connection(owner, name).disconnect()
    return { revocation }
  },

  /** At once: with its key all that is its own. Revocations, and the rest, are for those who sweep. */
  async 'DELETE /organisation'({ vault, erasure, organisation }) {
    const { id } = await erasure.request(vault.tenant(organisation), { reason: 'contractEnded' })
    return { erasure: id }
  },
}

/** The certificate of an erasure, for whoever was told its number; `null` before there is one. */
export async function certificateOf({ erasure }: Store, id: string): Promise<object> {
  return { certificate: (await erasure.certificate(id)) ?? null }
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
