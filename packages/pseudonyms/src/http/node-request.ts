/** Requests of `node:http`: what they say of the client is replaced in place. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

import { StrongroomError } from '@strongroom/core'

import type { HeaderList } from './headers.ts'
import { NO_CLIENT, type PseudonymousRequest, type RequestReader } from './pseudonymise-request.ts'

/** A connection, whose requests come one after another. */
interface Peer {
  /** The raw address, for its next request. */
  readonly address: string | undefined
  shown: string
  /** Until the response to the request before is done. */
  turn: Promise<void>
}

const peers = new WeakMap<Socket, Peer>()
const readings = new WeakMap<IncomingMessage, Promise<PseudonymousRequest>>()
const answers = new WeakMap<IncomingMessage, PseudonymousRequest>()

/** What stands for the addresses of a request that a wrapper has seen. */
export function pseudonymousOf(request: IncomingMessage): PseudonymousRequest | undefined {
  return answers.get(request)
}

/**
 * Puts pseudonyms where the request and its connection have raw addresses. Once for a request: a second time gives the first answer again,
 * since what stands there by then are pseudonyms.
 *
 * A request that is sent before the response to the one before it is done (pipelining, RFC 9112, section 9.3.2) waits for that: they share the
 * connection, and it shows one client.
 *
 * @throws StrongroomError as `pseudonymise`. The raw addresses are gone all the same: whatever logs the error shows none
 */
export async function hideAddresses(
  request: IncomingMessage,
  response: ServerResponse,
  reader: RequestReader,
): Promise<PseudonymousRequest> {
  const before = readings.get(request)
  if (before !== undefined) return before
  const reading = read(request, response, reader)
  readings.set(request, reading)
  return reading
}

async function read(request: IncomingMessage, response: ServerResponse, reader: RequestReader): Promise<PseudonymousRequest> {
  if (request.httpVersionMajor > 1)
    throw new StrongroomError('unsupported_operation', 'the connection of an HTTP/2 request cannot be changed: use pseudonymiseRequest')
  const peer = hidden(request.socket)
  const headers = headersOf(request.rawHeaders)
  putHeaders(request, reader, reader.withoutAddresses(headers))
  const { turn } = peer
  peer.turn = closed(response)
  await turn
  peer.shown = NO_CLIENT
  const answer = await reader.read({ remoteAddress: peer.address, headers })
  peer.shown = answer.client
  putHeaders(request, reader, answer.headers)
  answers.set(request, answer)
  return answer
}

function hidden(socket: Socket): Peer {
  const known = peers.get(socket)
  if (known !== undefined) return known
  const { remoteAddress: address, remoteFamily: family, remotePort: port } = socket
  const peer = { address, shown: NO_CLIENT, turn: Promise.resolve() }
  peers.set(socket, peer)
  // Beneath TLS there is another one.
  for (const each of [socket, Reflect.get(socket, '_parent') as unknown]) {
    if (!(each instanceof Socket)) continue
    Object.defineProperty(each, 'remoteAddress', { get: () => peer.shown, enumerable: true })
    // Where Node keeps what it has asked the operating system: what prints the socket would show it, and without it Node would ask again.
    Object.defineProperty(each, '_peername', { value: { address: NO_CLIENT, family, port }, writable: true, enumerable: true })
  }
  return peer
}

async function closed(response: ServerResponse): Promise<void> {
  if (!response.closed) await new Promise<void>((done) => void response.once('close', done))
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
