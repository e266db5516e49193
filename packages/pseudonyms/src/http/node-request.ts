/** Requests of `node:http`: what they say of the client is replaced in place. */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import { StrongroomError } from '@strongroom/core'

import type { HeaderList } from './headers.ts'
import { NO_CLIENT, type PseudonymousRequest, type RequestReader } from './pseudonymise-request.ts'

// The raw address of each connection, for its next request.
const peers = new WeakMap<Socket, { readonly address: string | undefined; shown: string }>()
const answers = new WeakMap<IncomingMessage, PseudonymousRequest>()

/** What stands for the addresses of a request that a wrapper has seen. */
export function pseudonymousOf(request: IncomingMessage): PseudonymousRequest | undefined {
  return answers.get(request)
}

/**
 * Puts pseudonyms where the request and its connection have raw addresses.
 *
 * @throws StrongroomError as `pseudonymise`. The raw addresses are gone all the same: whatever logs the error shows none
 */
export async function hideAddresses(request: IncomingMessage, reader: RequestReader): Promise<PseudonymousRequest> {
  if (request.httpVersionMajor > 1)
    throw new StrongroomError('unsupported_operation', 'the connection of an HTTP/2 request cannot be changed: use pseudonymiseRequest')
  const peer = hidden(request.socket)
  const headers = headersOf(request.rawHeaders)
  peer.shown = NO_CLIENT
  putHeaders(request, reader, reader.withoutAddresses(headers))
  const answer = await reader.read({ remoteAddress: peer.address, headers })
  peer.shown = answer.client
  putHeaders(request, reader, answer.headers)
  answers.set(request, answer)
  return answer
}

function hidden(socket: Socket): { readonly address: string | undefined; shown: string } {
  const known = peers.get(socket)
  if (known !== undefined) return known
  const peer = { address: socket.remoteAddress, shown: NO_CLIENT }
  peers.set(socket, peer)
  Object.defineProperty(socket, 'remoteAddress', { get: () => peer.shown, enumerable: true })
  // Where Node has put it when it was read above: what prints the socket would show it.
  Reflect.deleteProperty(socket, '_peername')
  return peer
}

function headersOf(raw: readonly string[]): HeaderList {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] as string, raw[2 * i + 1] as string] as const)
}

// Node has made the others of `rawHeaders`, by rules of its own for each name: those of ours it joins with commas.
function putHeaders(request: IncomingMessage, reader: RequestReader, headers: HeaderList): void {
  const shown = { ...request.headers }
  const distinct = { ...request.headersDistinct }
  for (const all of [shown, distinct]) for (const name of Object.keys(all)) if (reader.holdsAddresses(name)) delete all[name]
  for (const [name, value] of headers)
    if (reader.holdsAddresses(name)) {
      const lower = name.toLowerCase()
      const values = [...(distinct[lower] ?? []), value]
      distinct[lower] = values
      shown[lower] = values.join(', ')
    }
  request.rawHeaders.splice(0, Infinity, ...headers.flat())
  request.headers = shown
  request.headersDistinct = distinct
}
