// The pipeline: every line comes out, whatever is in it and wherever it is cut.
import { once } from 'node:events'
import { Readable } from 'node:stream'

import { parseAddress, pseudonymiseLines } from '@strongroom/pseudonyms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { pseudonymsOf, world } from '../support.ts'
import { sent, shownPseudonyms } from './support.ts'

const ADDRESSES = ['192.0.2.1', '2001:db8::1', '::ffff:198.51.100.7', '203.0.113.9']

/** An independent search: whatever is an address by the platform's parser, between characters that no address has; but no part of a word. */
function addressesIn(bytes: Buffer): readonly string[] {
  const text = bytes.toString('latin1')
  const found: string[] = []
  for (const { 0: candidate, index } of text.matchAll(/[0-9A-Fa-f:.]{2,}/g)) {
    const isInWord = /[G-Zg-z_]/.test(text.slice(Math.max(0, index - 1), index) + text.charAt(index + candidate.length))
    if (isInWord && !/\d/.test(candidate)) continue
    const block = parseAddress(candidate)
    if (block !== undefined) found.push(Buffer.from(block).toString('hex'))
  }
  return found
}

const junk = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes))
const noise = fc.constantFrom(
  ...['\r', '\0', 'é', '\xff\xfe', '%', '\\', '"', '[', ' ', '{"a":"', '%2', '\\u00', 'GET /?q=1&b=2'].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
)
// Between blanks, so that random bytes do not go on with it.
const address = fc
  .oneof(fc.ipV4(), fc.ipV6())
  .filter((text) => parseAddress(text) !== undefined)
  .map((text) => Buffer.from(` ${text} `))
const lineOf = fc.array(fc.oneof(junk, noise, address), { maxLength: 8 }).map((parts) => Buffer.concat(parts))
const stream = fc
  .tuple(fc.array(lineOf, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, end, isEnded]) => Buffer.from(lines.map((each) => each.toString('latin1')).join(end) + (isEnded ? end : ''), 'latin1'))

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length))
}

const feeds = (bytes: Buffer): number => bytes.filter((byte) => byte === 10).length

describe('every line comes out', () => {
  test('random bytes, cut anywhere: the same lines, the same count of addresses, and none of those that came in', async () => {
    const pseudonyms = pseudonymsOf(await world())
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat(), { maxLength: 8 }), fc.constantFrom('text', 'combined'), async (bytes, places, format) => {
        const whole = await sent(pseudonyms, { format }, [bytes])
        const pieces = await sent(pseudonyms, { format }, cut(bytes, places))
        expect(pieces.out.equals(whole.out)).toBe(true)
        expect(feeds(whole.out)).toBe(feeds(bytes))
        expect(whole.counts.lines).toBe(feeds(bytes) + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0))
        const [before, after] = [addressesIn(bytes), addressesIn(whole.out)]
        // Random bytes may be a strange spelling as well: then that is counted by itself.
        expect(whole.counts.addresses + whole.counts.unclear).toBeGreaterThanOrEqual(before.length)
        expect(after.length).toBe(whole.counts.addresses)
        expect(after.filter((each) => before.includes(each))).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })

  test('addresses among words: as many before and after, and every other byte as it was', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const word = fc.stringMatching(/^[g-zG-Z_=,;()<>!?*+-]{0,8}$/).map((text) => Buffer.from(text))
    const lines = fc.array(
      fc.array(fc.oneof(word, address), { maxLength: 8 }).map((parts) => Buffer.concat(parts)),
      { maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(lines, async (all) => {
        const bytes = Buffer.from(all.map((each) => each.toString('latin1')).join('\n'), 'latin1')
        const { out, counts } = await sent(pseudonyms, { format: 'text' }, [bytes])
        const [before, after] = [addressesIn(bytes), addressesIn(out)]
        expect([after.length, counts.addresses, counts.unclear]).toEqual([before.length, before.length, 0])
        const masked = (text: string): string =>
          text.replaceAll(/[0-9A-Fa-f:.]{2,}/g, (each) => (parseAddress(each) === undefined ? each : '*'))
        expect(masked(out.toString('latin1'))).toBe(masked(bytes.toString('latin1')))
      }),
      { numRuns: 1000 },
    )
  })

  test('what is no address is not touched: bytes, CRLF, NULs, invalid UTF-8, no end of the last line', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const bytes = Buffer.concat([Buffer.from('a\r\n\n\r\nb\0c\xc3('), Buffer.from([0xff, 0xfe, 0xc0, 0x80, 10, 0x80])])
    for (const format of ['text', 'combined'] as const) expect((await sent(pseudonyms, { format }, [bytes])).out.equals(bytes)).toBe(true)
  })

  test('a line of 1 MiB, with addresses at its beginning and its end, in chunks of every size', async () => {
    const shown = await shownPseudonyms()
    const middle = 'word '.repeat(209_700)
    const bytes = Buffer.from(`${ADDRESSES[0]} ${middle}${ADDRESSES[1]}\nnext ${ADDRESSES[3]}\n`)
    expect(bytes.indexOf('\n')).toBeLessThanOrEqual(1024 * 1024)
    for (const size of [1000, 65_536, bytes.length]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
      const { text, counts } = await sent(shown, { format: 'text' }, chunks)
      expect(text === `<192.0.2.1> ${middle}<2001:db8::1>\nnext <203.0.113.9>\n`).toBe(true)
      expect(counts).toMatchObject({ lines: 2, addresses: 3, malformed: 0 })
    }
  })

  test('back-pressure: what nobody reads is not read either', async () => {
    const lines = pseudonymiseLines(pseudonymsOf(await world()), { format: 'text' })
    let read = 0
    const chunk = Buffer.from('192.0.2.1 and more\n'.repeat(3000))
    const source = new Readable({
      read() {
        read += chunk.length
        this.push(chunk)
      },
    })
    source.pipe(lines)
    await once(lines, 'readable')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(read).toBeLessThan(10 * chunk.length)
    source.destroy()
    lines.destroy()
  })
})
