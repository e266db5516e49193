// What is said on the console and by warnings of the process, for as long as somebody listens.
import { format } from 'node:util'

import type { Witness } from './witness.ts'

/** @returns what ends it */
export function overhear(witness: Witness): () => void {
  const ends: (() => void)[] = []
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = process[name]
    const write = stream.write
    stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
      witness.bytes('console', name, Buffer.from(chunk as Uint8Array))
      return write.call(stream, chunk, ...rest)
    }) as typeof write
    ends.push(() => void (stream.write = write))
  }
  // The test runner's console does not write to these streams.
  for (const name of ['log', 'info', 'debug', 'warn', 'error', 'trace', 'dir', 'table'] as const) {
    const say = console[name]
    console[name] = (...said: unknown[]): void => {
      witness.text('console', name, format(...said))
      Reflect.apply(say, console, said)
    }
    ends.push(() => void (console[name] = say))
  }
  const warned = (warning: Error): void => witness.object('warning', warning.name, warning)
  process.on('warning', warned)
  ends.push(() => void process.off('warning', warned))
  return () => {
    for (const end of ends) end()
  }
}
