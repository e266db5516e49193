// Lines through the pipeline, with pseudonyms that say what they stand for.
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'

import { formatAddress, type LineCounts, type LineOptions, type Pseudonyms, pseudonymiseLines } from '@strongroom/pseudonyms'

import { pseudonymsOf, world } from '../support.ts'

/** A line of the combined format. @param at - as servers write it */
export const line = (address: string, at: string, rest = '"GET / HTTP/1.1" 200 12 "-" "x"'): string => `${address} - - [${at}] ${rest}\n`
/** The day on which the clock stands, as servers write it. */
export const TODAY = '01/Jan/2030:00:00:00 +0000'

export interface Answered {
  readonly out: Buffer
  readonly text: string
  readonly counts: LineCounts
}

/** Sends chunks through, to the end. */
export async function sent(pseudonyms: Pseudonyms, options: LineOptions, chunks: readonly (string | Uint8Array)[]): Promise<Answered> {
  const lines = pseudonymiseLines(pseudonyms, options)
  const out = await buffer(Readable.from(chunks.map((chunk) => Buffer.from(chunk as Uint8Array))).pipe(lines))
  return { out, text: out.toString('latin1'), counts: lines.counts }
}

/** Pseudonyms that show the address in angle brackets, and the period: for tests of what is found, and where. */
export async function shownPseudonyms(period?: number): Promise<Pseudonyms> {
  const real = pseudonymsOf(await world(), period === undefined ? {} : { period })
  return {
    ...real,
    async unlock(options) {
      const keys = await real.unlock(options)
      return Object.assign(Object.create(keys) as typeof keys, {
        pseudonymiseBlocks: (blocks: Uint8Array): string[] =>
          Array.from({ length: blocks.length / 16 }, (_, i) => `<${formatAddress(blocks, i * 16)}>`),
        dispose: () => keys.dispose(),
      })
    },
  }
}
