import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, expect, test } from 'vitest'

const GENERATIONS = 14
const WRITERS = ['a', 'b', 'c']

const folder = await mkdtemp(join(tmpdir(), 'strongroom-kill-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
const directory = join(folder, 'vault')

test(`SIGKILL at ${GENERATIONS * WRITERS.length} random instants loses no acknowledged write and leaves no half one`, async () => {
  const dead: Writer[] = []
  const names: string[] = []
  for (let generation = 0; generation < GENERATIONS; generation++) {
    const named = WRITERS.map((letter) => `${letter}${generation}`)
    names.push(...named)
    const writers = named.map(startWriter)
    for (const [i, writer] of writers.entries()) {
      // Mostly in the midst of writing, at times while the files are being opened, at first even made.
      if (Math.random() < 0.8) await writer.hasWritten
      await sleep(Math.random() * 50)
      await writer.kill()
      dead.push(writer)
      const alive = writers.slice(i + 1)
      const acknowledgedByLiving = alive.map(({ acknowledged }) => acknowledged.slice())
      const content = await check(alive.length === 0 ? 'quiet' : 'busy', names)
      for (const { acknowledged } of dead) content.holds(acknowledged, 'nothing more is written')
      for (const acknowledged of acknowledgedByLiving) content.holds(acknowledged, 'more may be written')
    }
  }
  expect(dead).toHaveLength(GENERATIONS * WRITERS.length)
  expect(dead.flatMap(({ acknowledged }) => acknowledged).length).toBeGreaterThan(100)
}, 600_000)

type Acknowledged =
  | { readonly ref: string; readonly revision: number }
  | { readonly key: string; readonly write: 'first' | 'second' | 'deleted'; readonly version?: string }

interface Writer {
  readonly acknowledged: Acknowledged[]
  readonly hasWritten: Promise<unknown>
  kill(): Promise<void>
}

function startWriter(name: string): Writer {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./kill-writer.mjs', import.meta.url)), directory, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: Acknowledged[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() as string
    acknowledged.push(...lines.map((line) => JSON.parse(line) as Acknowledged))
  })
  const closed = once(child, 'close')
  return {
    acknowledged,
    hasWritten: once(child.stdout, 'data'),
    async kill() {
      child.kill('SIGKILL')
      const [, signal] = await closed
      expect(signal, 'the writer wrote until it was killed').toBe('SIGKILL')
    },
  }
}

interface Content {
  /** Checks that all this is there. A write that was under way may be there too: the next one of the same node or key. */
  holds(acknowledged: readonly Acknowledged[], then: 'nothing more is written' | 'more may be written'): void
}

async function check(mood: 'quiet' | 'busy', names: readonly string[]): Promise<Content> {
  const checker = fileURLToPath(new URL('./kill-checker.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [checker, directory, mood, ...names], { maxBuffer: 2 ** 28 })
  const content = JSON.parse(stdout) as { nodes: [string, number][]; entries: [string, string, number][] }
  const revisions = new Map(content.nodes)
  const entries = new Map(content.entries.map(([key, version, bytes]) => [key, { version, bytes }]))

  return {
    holds(acknowledged, then) {
      const final = then === 'nothing more is written'
      const lastRevision = new Map<string, number>()
      const lastWrite = new Map<string, Extract<Acknowledged, { readonly key: string }>>()
      for (const write of acknowledged) {
        if ('ref' in write) lastRevision.set(write.ref, write.revision)
        else lastWrite.set(write.key, write)
      }
      for (const [ref, revision] of lastRevision) {
        const stored = revisions.get(ref) ?? 0
        if (stored < revision || (final && stored > revision + 1)) expect.fail(`node ${ref}: ${revision} acknowledged, ${stored} stored`)
      }
      for (const [key, { write, version }] of lastWrite) {
        const stored = entries.get(key)
        const deletable = Number(key.split('-').at(-1)) % 3 === 0
        const right =
          stored === undefined
            ? write === 'deleted' || (deletable && (write === 'second' || !final))
            : write === 'first'
              ? stored.bytes === 5000 || stored.version === version
              : write === 'second' && stored.version === version
        if (!right) expect.fail(`entry ${key}: ${write} ${version} acknowledged, ${JSON.stringify(stored)} stored`)
      }
    },
  }
}
