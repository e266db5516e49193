/** Requests with a token that the caller never sees. */

import { invalidArgument, type Secret, StrongroomError } from '@strongroom/core'

import type { CheckedProvider } from '../providers/provider.ts'

type Use = (work: (token: Secret<string>) => Promise<Response>) => Promise<Response>

/** @throws StrongroomError `invalid_argument`, `unsupported_operation`, and what `use` throws */
export async function fetchWith(
  { name, kind, apiOrigins, apiKeyHeader }: CheckedProvider,
  fetch: typeof globalThis.fetch,
  url: string | URL,
  init: RequestInit | undefined,
  use: Use,
): Promise<Response> {
  if (apiOrigins === undefined || apiOrigins.length === 0)
    throw new StrongroomError('unsupported_operation', `fetch needs providers.${name}.apiOrigins: the origins that tokens may be sent to`)
  const target = URL.canParse(String(url)) ? new URL(url) : undefined
  if (target === undefined || !apiOrigins.includes(target.origin) || target.username !== '' || target.password !== '')
    throw invalidArgument('url', `must be absolute, and of one of the origins in providers.${name}.apiOrigins`)
  const header = kind === 'apiKey' || kind === 'webhookSecret' ? apiKeyHeader : 'authorization'
  if (header === undefined) throw new StrongroomError('unsupported_operation', `fetch needs providers.${name}.apiKeyHeader`)
  const headers = new Headers(init?.headers)
  if (headers.has(header)) throw invalidArgument('init.headers', 'must not have the header that the token goes into')
  if (init?.body instanceof ReadableStream)
    throw invalidArgument('init.body', 'must not be a stream: where the token is refused it is sent a second time')
  return use(async (token) => {
    const own = new Headers(headers)
    own.set(header, header === 'authorization' ? `Bearer ${token.reveal()}` : token.reveal())
    // A redirect could lead the token anywhere.
    return fetch(target, { ...init, headers: own, redirect: 'manual' })
  })
}
