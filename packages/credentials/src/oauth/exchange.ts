/** One request to an authorisation server: of bounded time and size, and not led elsewhere. */

import { inTime } from './in-time.ts'

export type Fetch = typeof globalThis.fetch

/** What a server answered, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** `undefined`: cut off, too long, or not there in time. */
  readonly text: string | undefined
}

// Documents of discovery are the longest of what is asked for, and have some kilobytes.
const MOST_BYTES = 1_000_000

/**
 * @param signal - after which nobody waits, whether or not `fetch` heeds it
 * @throws what the request threw, where no status came
 */
export async function exchange(fetch: Fetch, url: string, init: RequestInit, signal: AbortSignal): Promise<Answer> {
  const headers = new Headers(init.headers)
  // A connection that lies idle may be closed by the other side just when it is used again: then nobody knows what became of the request.
  headers.set('connection', 'close')
  // A redirect could lead secrets anywhere.
  const response = await inTime(fetch(url, { ...init, headers, redirect: 'manual', signal }), signal)
  const { status } = response
  try {
    return { status, headers: response.headers, text: await inTime(textOf(response), signal) }
  } catch {
    response.body?.cancel().catch(() => undefined)
    return { status, headers: response.headers, text: undefined }
  }
}

/** For `oauth4webapi`, which reads what it asked for itself. @throws where the body did not come whole */
export function responseOf({ status, headers, text }: Answer): Response {
  if (text === undefined) throw new TypeError('the answer did not come whole')
  return new Response(text === '' ? null : text, { status, headers })
}

async function textOf(response: Response): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > MOST_BYTES) throw new RangeError('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
