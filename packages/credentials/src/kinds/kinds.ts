/** What can be kept of a connected system: a closed list, and nothing beside it. */

import { invalidArgument } from '@strongroom/core'
import { z } from 'zod'

/** `oauth2`: tokens that a customer has granted. `clientCredentials`: the customer's own client. `apiKey` and `webhookSecret`: one secret. */
export type Kind = 'oauth2' | 'clientCredentials' | 'apiKey' | 'webhookSecret'

/** What the token endpoint answered (RFC 6749, section 5.1): what `oauth4webapi` returns. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type?: string
  /** Seconds. */
  readonly expires_in?: number
  readonly refresh_token?: string
  readonly scope?: string
  /** Ignored: the RFC says so of what is not known. */
  readonly [other: string]: unknown
}

/** What `save` takes, by the provider's kind. */
export type Material = TokenResponse | { readonly client_id: string; readonly client_secret: string } | { readonly secret: string }

/** The secrets of a connection, as they are encrypted: an access token may be missing, and the other is what outlives it. */
export interface Secrets {
  readonly access: string | undefined
  /** The refresh token; the client's id and secret; the key or secret itself. */
  readonly lasting: string | undefined
}

/** A token response, or other material, checked. */
export interface CheckedMaterial extends Secrets {
  /** Milliseconds that the access token lives; `undefined`: the provider did not say. */
  readonly lifetime: number | undefined
  readonly scopes: readonly string[] | undefined
}

// A record that holds the longest of each is still one that is read again.
const MOST_CHARACTERS = 100_000
export const MOST_SCOPE_CHARACTERS = 10_000
// Ten years: some providers give tokens that do not expire, and say so with a large number.
const MOST_SECONDS = 315_360_000

const secret = z.string().min(1).max(MOST_CHARACTERS)
// `1*VSCHAR` of RFC 6749, appendix A: what a header or a form takes as it is.
const token = secret.regex(/^[\x20-\x7e]+$/)
const tokens = z.object({
  access_token: token,
  token_type: z.string().max(100).optional(),
  expires_in: z.number().min(0).max(MOST_SECONDS).optional(),
  refresh_token: token.optional(),
  scope: z.string().max(MOST_SCOPE_CHARACTERS).optional(),
})
const ofClient = token.max(10_000)
const client = z.strictObject({ client_id: ofClient, client_secret: ofClient })
const single = z.strictObject({ secret })

/** Names under which a user's own password travels; never stored, whatever the kind. */
const PASSWORD = /pass(?:word|wd|phrase|code)?$|^pwd$|^pin$/i

/**
 * @param material - what a caller handed over
 * @param bearerTypes - token types of the provider that mean `bearer`
 * @throws StrongroomError `invalid_argument` naming the member, never its value
 */
export function checkMaterial(kind: Kind, material: unknown, bearerTypes: readonly string[] = []): CheckedMaterial {
  if (typeof material !== 'object' || material === null) throw invalidArgument('material', 'must be an object: see the kinds in the README')
  const password = Object.keys(material).find((name) => PASSWORD.test(name))
  if (password !== undefined)
    throw invalidArgument('material', "must not hold a user's password: connect with OAuth, or with a key that the system issues for this")
  if (kind === 'oauth2') {
    const { access_token, token_type = 'bearer', expires_in, refresh_token, scope } = parsed(tokens, material)
    // Of a token that is bound to a key (RFC 9449) the key is missing here.
    if (token_type.toLowerCase() !== 'bearer' && !bearerTypes.includes(token_type))
      throw invalidArgument('material.token_type', 'must be Bearer: tokens of other types cannot be used')
    return {
      access: access_token,
      lasting: refresh_token,
      lifetime: expires_in === undefined ? undefined : expires_in * 1000,
      scopes: scope === undefined ? undefined : scope.split(' ').filter((one) => one !== ''),
    }
  }
  const lasting = kind === 'clientCredentials' ? JSON.stringify(parsed(client, material)) : parsed(single, material).secret
  return { access: undefined, lasting, lifetime: undefined, scopes: undefined }
}

/** The client's id and secret out of what is kept of `clientCredentials`. */
export function clientOf(lasting: string): { readonly client_id: string; readonly client_secret: string } {
  return client.parse(JSON.parse(lasting))
}

function parsed<T>(schema: z.ZodType<T>, material: object): T {
  const result = schema.safeParse(material)
  if (result.success) return result.data
  const [issue] = result.error.issues
  // Of zod's own words none are taken: they may quote what they were given.
  if (issue?.code === 'unrecognized_keys') throw invalidArgument('material', 'must hold no other members than its kind has: see the README')
  throw invalidArgument(`material.${String(issue?.path[0] ?? '')}`, 'is missing, or not of the type and size that it must have')
}
