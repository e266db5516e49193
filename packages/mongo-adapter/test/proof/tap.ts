// A tap on the line between driver and server: passes every byte on, and keeps a copy of it.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

import { MongoClient } from 'mongodb'

export interface Tap {
  /** The server's address, by way of the tap. */
  readonly uri: string
  /** All bytes since the last `clear`, one buffer for each connection and direction. */
  heard(): { readonly sent: readonly Buffer[]; readonly received: readonly Buffer[] }
  /** Names of the commands that were sent since the last `clear`, as they stand in the bytes; what the driver says by itself is left out. */
  commands(): readonly string[]
  clear(): void
  close(): Promise<void>
}

interface Line {
  sent: Buffer[]
  received: Buffer[]
}

/** @throws for a server whose line cannot be tapped */
export async function openTap(uri: string): Promise<Tap> {
  const { host, port } = await primaryOf(uri)
  const lines: Line[] = []
  const open = new Set<Socket>()
  const server = createServer((driver) => {
    const line: Line = { sent: [], received: [] }
    lines.push(line)
    const upstream = connect(port, host)
    for (const [from, to, kept] of [
      [driver, upstream, 'sent'],
      [upstream, driver, 'received'],
    ] as const) {
      open.add(from)
      from.setNoDelay(true)
      from.on('data', (chunk) => {
        line[kept].push(chunk)
        to.write(chunk)
      })
      // Whoever ends, ends the other.
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const joined = (kept: keyof Line): readonly Buffer[] => lines.map((line) => Buffer.concat(line[kept])).filter(({ length }) => length > 0)
  return {
    uri: tappedUri(uri, at),
    heard: () => ({ sent: joined('sent'), received: joined('received') }),
    commands: () => joined('sent').flatMap(commandsIn),
    clear() {
      for (const line of lines) [line.sent, line.received] = [[], []]
    },
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}

async function primaryOf(uri: string): Promise<{ readonly host: string; readonly port: number }> {
  const client = new MongoClient(uri)
  try {
    if (client.options.tls) throw new Error('a tap hears nothing of a connection with TLS: give the tests a server without')
    const { primary } = await client.db('admin').command({ hello: 1 })
    const [first] = client.options.hosts
    const [, host, port] = /^(.+):(\d+)$/.exec(typeof primary === 'string' ? primary : String(first)) ?? []
    return { host: host ?? '127.0.0.1', port: Number(port ?? 27_017) }
  } finally {
    await client.close()
  }
}

function tappedUri(uri: string, at: string): string {
  const tapped = new URL(uri.replace(/^(mongodb:\/\/(?:[^@/]*@)?)[^/?]+/, `$1${at}`).replace(/^(mongodb:\/\/[^/?]+)(?=\?|$)/, '$1/'))
  tapped.searchParams.set('directConnection', 'true')
  // What is compressed, nobody finds anything in.
  tapped.searchParams.set('compressors', 'none')
  return tapped.toString()
}

const OP_MSG = 2013
const OP_COMPRESSED = 2012
// The driver watches its server, and logs in and out, whatever the application does.
const BY_ITSELF = new Set(['hello', 'ismaster', 'isMaster', 'ping', 'endSessions', 'saslStart', 'saslContinue', 'buildInfo'])

/** The names of the commands in whole messages of the wire protocol. */
function commandsIn(bytes: Buffer): readonly string[] {
  const names: string[] = []
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
    const operation = bytes.readInt32LE(at + 12)
    if (operation === OP_COMPRESSED) throw new Error('the line is compressed')
    // An old form of the first greeting.
    if (operation !== OP_MSG) continue
    // Header, flags, and the section of kind 0, which the driver puts first: length of the document, type of its first member, name.
    const name = at + 16 + 4 + 1 + 4 + 1
    names.push(bytes.toString('utf8', name, bytes.indexOf(0, name)))
  }
  return names.filter((name) => !BY_ITSELF.has(name))
}
