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
  const text = String(url)
  const target = URL.canParse(text) ? new URL(text) : undefined
  // Not by `origin`, which for `blob:` is that of something else.
  if (
    target === undefined ||
    !apiOrigins.includes(`${target.protocol}//${target.host}`) ||
    target.username !== '' ||
    target.password !== ''
  )
    throw invalidArgument('url', `must be absolute, and of one of the origins in providers.${name}.apiOrigins`)
  const header = kind === 'apiKey' || kind === 'webhookSecret' ? apiKeyHeader : 'authorization'
  if (header === undefined) throw new StrongroomError('unsupported_operation', `fetch needs providers.${name}.apiKeyHeader`)
  const headers = new Headers(init?.headers)
  if (headers.has(header)) throw invalidArgument('init.headers', 'must not have the header that the token goes into')
  if (!canBeSentTwice(init?.body))
    throw invalidArgument('init.body', 'must not be a stream: where the token is refused it is sent a second time')
  let last: Response | undefined
  return use(async (token) => {
    const own = withToken(headers, header, token)
    // Nobody reads the answer by which a token was refused.
    await last?.body?.cancel()
    // A redirect could lead the token anywhere.
    last = await fetch(target, { ...init, headers: own, redirect: 'manual' })
    return last
  })
}

function withToken(headers: Headers, header: string, token: Secret<string>): Headers {
  const own = new Headers(headers)
  try {
    own.set(header, header === 'authorization' ? `Bearer ${token.reveal()}` : token.reveal())
  } catch {
    // What was thrown quotes the token.
    throw new StrongroomError(
      'unsupported_operation',
      'the secret of this connection has characters that no header takes: have it entered anew',
    )
  }
  return own
}

function canBeSentTwice(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true
  return [URLSearchParams, FormData, Blob, ArrayBuffer].some((form) => body instanceof form) || ArrayBuffer.isView(body)
}
