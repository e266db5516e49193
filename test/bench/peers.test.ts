// What the tables of the peers are made of: quartiles, and the refusal to print what cannot be true.
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

interface Summary {
  readonly ns: number
  readonly lower: number
}
type Direction = Readonly<Record<string, Summary>>

const bench = (file: string): string => fileURLToPath(new URL(`../../bench/${file}`, import.meta.url))

const { implausible } = (await import(bench('peers/implausible.mjs'))) as {
  implausible(
    rows: readonly { readonly size: number; readonly count?: number; readonly encrypt: Direction; readonly decrypt: Direction }[],
  ): readonly string[]
}
const { interleave } = (await import(bench('interleave.mjs'))) as {
  interleave(
    contenders: Readonly<Record<string, () => void>>,
    rounds: number,
  ): Promise<Readonly<Record<string, Readonly<Record<'ratio' | 'lower' | 'upper' | 'least' | 'most', number>>>>>
}

const direction = (bytes: number, text: number, lower: number): Direction => ({ bytes: { ns: bytes, lower: 1 }, text: { ns: text, lower } })
const TRUE = direction(5000, 6000, 0.8)

test('bytes that are slower than text: as printed, or in three rounds of four; within noise they may be', () => {
  expect(implausible([{ size: 64, encrypt: TRUE, decrypt: TRUE }])).toEqual([])
  expect(implausible([{ size: 64, encrypt: TRUE, decrypt: direction(5200, 5000, 0.9) }])).toEqual([])
  expect(implausible([{ size: 64, encrypt: TRUE, decrypt: direction(9570, 6830, 0.9) }])).toEqual([
    'decrypt, 64 B: bytes 9.57 µs, text 6.83 µs',
  ])
  expect(implausible([{ size: 64, count: 1000, encrypt: direction(5050, 5000, 1.01), decrypt: TRUE }])).toEqual([
    'encrypt, 64 B, 1000 people: bytes 5.05 µs, text 5.00 µs',
  ])
})

test('the awaited forms as well', () => {
  const awaited = { ...TRUE, bytesAwaited: { ns: 20_000, lower: 1 }, textAwaited: { ns: 17_000, lower: 0.9 } }
  expect(implausible([{ size: 16, encrypt: awaited, decrypt: TRUE }])).toEqual([
    'encrypt, 16 B: bytesAwaited 20.00 µs, textAwaited 17.00 µs',
  ])
})

test('quartiles lie between the least and the most, about the median', async () => {
  const work = (): void => void Math.sqrt(2)
  const { other } = await interleave({ first: work, other: work }, 9)
  const { ratio, lower, upper, least, most } = other as NonNullable<typeof other>
  expect([least, lower, ratio, upper, most].toSorted((a, b) => a - b)).toEqual([least, lower, ratio, upper, most])
})
