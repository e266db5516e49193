// A server for tests, examples and benchmarks: the one that MONGODB_URI names, or one of its own.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { MongoClient } from 'mongodb'

import { findProgram } from './find-program.mjs'

const START_MS = 60_000
const REPLICA_SET = 'strongroom'

/**
 * The server to test against.
 *
 * @returns `{ uri, description, stop() }`, or `{ uri: undefined, description }` which says why there is none
 */
export async function openServer() {
  const uri = process.env['MONGODB_URI']
  if (uri) return { uri, description: `${await describe(uri)} at MONGODB_URI`, stop: async () => undefined }
  return startServer()
}

/**
 * A server of its own, in a temporary folder: a replica set of one member, so that it has change streams and transactions.
 *
 * @returns `{ uri, description, kill(), start(), stop() }`: `kill` as a power cut would, `start` again on what is on the disk, under the
 *   same address; `{ uri: undefined, description }` if there is no program
 */
export async function startServer() {
  const program = await findProgram()
  if (program.kind === 'none') return { uri: undefined, description: `no MongoDB server: ${program.why}` }
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-mongo-'))
  const data = join(folder, 'data')
  mkdirSync(data)
  let port = program.kind === 'mongod' ? await freePort() : 0
  let child

  // Whatever ends this process by itself; there is no way to hear of SIGKILL.
  const onExit = () => {
    child?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.on('exit', onExit)

  async function start() {
    child = spawn(program.path, argumentsOf(program.kind, port, data), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    port = await listening(child, port)
  }

  async function kill() {
    const dying = child
    child = undefined
    if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return
    const gone = new Promise((resolve) => dying.once('exit', resolve))
    dying.kill('SIGKILL')
    await gone
  }

  async function stop() {
    await kill()
    process.off('exit', onExit)
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
  }

  try {
    await start()
    if (program.kind === 'mongod') await initiate(port)
    const uri = `mongodb://127.0.0.1:${port}/`
    return {
      uri,
      description: await describe(uri),
      start: () =>
        start()
          .then(() => describe(uri))
          .then(() => undefined),
      kill,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function argumentsOf(kind, port, data) {
  if (kind === 'mongod')
    return ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', data, '--replSet', REPLICA_SET, '--nounixsocket']
  return ['--port', `${port}`, '--storage-path', data, '--cache-size', '256M', '--sync-on-commit']
}

// Resolves with the port once the server says that it listens: both print it.
function listening(child, port) {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk) => {
      said = (said + chunk).slice(-20_000)
      const [, printed] = /listening on [\d.]+:(\d+)/.exec(said) ?? []
      if (printed !== undefined) done(() => resolve(Number(printed)))
      else if (said.includes('Waiting for connections')) done(() => resolve(port))
    }
    const done = (settle) => {
      clearTimeout(timer)
      // It goes on talking: unread, it would stand still.
      for (const stream of [child.stdout, child.stderr]) stream.off('data', hear).resume()
      settle()
    }
    const timer = setTimeout(() => done(() => reject(new Error(`the server did not start in ${START_MS} ms: ${said}`))), START_MS)
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', (error) => done(() => reject(error)))
    child.once('exit', (code, signal) => done(() => reject(new Error(`the server ended with ${signal ?? code}: ${said}`))))
  })
}

async function initiate(port) {
  await withAdmin(`mongodb://127.0.0.1:${port}/?directConnection=true`, async (admin) => {
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host: `127.0.0.1:${port}` }] } })
  })
}

/** Waits until the server takes writes, and says what it is. Only MongoDB is called MongoDB. */
function describe(uri) {
  return withAdmin(uri, async (admin) => {
    const deadline = Date.now() + START_MS
    while (!(await admin.command({ hello: 1 })).isWritablePrimary) {
      if (Date.now() > deadline) throw new Error('the server does not become primary')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const info = await admin.command({ buildInfo: 1 })
    if (info.secantusVersion === undefined) return `MongoDB ${info.version}`
    return `secantusd ${info.secantusVersion}, which is not MongoDB but speaks its protocol`
  })
}

async function withAdmin(uri, body) {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: START_MS })
  try {
    return await body(client.db('admin'))
  } finally {
    await client.close()
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
