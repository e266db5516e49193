// Lines that are longer than what is read at once.
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { DAY, pseudonymsOf, START, world } from '../support.ts'
import { sent, shownPseudonyms } from './support.ts'

const ADDRESSES = ['192.0.2.1', '2001:db8::1', '::ffff:198.51.100.7', '203.0.113.9']
// What tokens of a line are made of: addresses in some spellings, parameters, hosts, and what escapes and ends.
const PARTS = ADDRESSES.concat(
  ['192.0.2.&#49;', '192%2e0%2E2.1', '2001&#58;db8::1', String.raw`\u0031\u0039\u0032.0.2.1`, '%25312.0.2.1', '１９２。0.2.1'],
  ['?token=x&', String.raw`&tok%65n=\"y\"&`, '&user[token]=192.0.2.1', 'http://2130706433/', '0x7f.0.0.1'],
  ['"', String.raw`\"`, '\\', '\0', ',', 'x-', '<', 'é'],
)

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length))
}

test('longer ones are searched in parts: as if they were short, wherever they are cut', async () => {
  const shown = await shownPseudonyms()
  const token = fc.array(fc.constantFrom(...PARTS), { maxLength: 6 }).map((parts) => parts.join(''))
  const long = fc.tuple(fc.nat(400), fc.array(token, { minLength: 40, maxLength: 120 }), fc.constantFrom(' ', '"', '\t', ' " '))
  const places = fc.array(fc.nat(), { maxLength: 8 })
  let longest = 0
  await fc.assert(
    fc.asyncProperty(long, places, fc.constantFrom('all' as const, ['token']), async ([shift, tokens, between], cuts, redactQuery) => {
      const bytes = Buffer.from(`${'p'.repeat(shift)} ${tokens.join(between)}\n192.0.2.9\n`)
      longest = Math.max(longest, bytes.length)
      const whole = await sent(shown, { format: 'text', redactQuery }, [bytes])
      const parts = await sent(shown, { format: 'text', redactQuery, mostLine: 1024 }, cut(bytes, cuts))
      expect(parts.text).toBe(whole.text)
      const { malformed, ...counts } = parts.counts
      expect([counts, malformed]).toEqual([expect.objectContaining(counts), bytes.length - 10 > 1024 ? 1 : 0])
      expect(whole.counts).toMatchObject(counts)
    }),
    { numRuns: 1000 },
  )
  expect(longest).toBeGreaterThan(3000)
})

test('a token that is longer than a line may be is taken out whole; the next one is as it was', async () => {
  const shown = await shownPseudonyms()
  const options = { format: 'text', mostLine: 1024, redactQuery: ['token'] } as const
  for (const run of ['0', '1.', ':', 'a:', '%31', '192.0.2.1.', 'word', 'x,y,', '192.0.2.&#49;,', '?tok%65n=x&', '\\"'])
    for (const size of [1, 100, 4000]) {
      const long = run.repeat(Math.ceil(5000 / run.length))
      const bytes = Buffer.from(`x ${long} y\n192.0.2.9 ${long}`)
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
      const { text, counts } = await sent(shown, options, chunks)
      expect([run, text]).toEqual([run, 'x [redacted] y\n<192.0.2.9> [redacted]'])
      expect(counts).toMatchObject({ lines: 2, malformed: 2, unclear: 2 })
    }
})

test('one without keys is counted once, however many parts it has; a line without an address is not counted', async () => {
  const pseudonyms = pseudonymsOf(await world())
  const options = { format: 'text', mostLine: 1024, at: () => START - 40 * DAY } as const
  const long = `${'192.0.2.1 '.repeat(500)}\n`
  const { text, counts } = await sent(pseudonyms, options, [`${long}${long}no address\n192.0.2.1 2001:db8::1\nnone\n192.0.2.1`])
  expect(counts).toMatchObject({ lines: 6, malformed: 2, refused: 4, addresses: 0 })
  expect(text.match(/\[redacted\]/g)).toHaveLength(1003)
})
