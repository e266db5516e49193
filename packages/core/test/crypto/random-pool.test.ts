import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { backend } from '#backend'
import { RandomPool } from '#core/crypto/random.js'

// The platform's generator, replaced by a counter: every 4 bytes that it ever gives are different, and it notes each block.
let counter = 0
let blocks: Uint8Array[] = []
function counting(block: Uint8Array): void {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  for (let at = 0; at + 4 <= block.length; at += 4) view.setUint32(at, ++counter)
  blocks.push(block)
}

/** A pool in a process whose clock and id the test moves. */
function setUp() {
  const world = { now: 1_795_305_600_000, pid: 100 }
  const pool = new RandomPool({ now: () => world.now }, () => world.pid)
  const draw = (length = 24): string => {
    const out = new Uint8Array(length)
    pool.fill(out, 0, length)
    return String(out)
  }
  return { world, pool, draw }
}

beforeEach(() => {
  counter = 0
  blocks = []
  vi.spyOn(backend, 'randomFill').mockImplementation(counting)
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('a pool of random bytes', () => {
  test('never gives the same bytes twice, over many blocks', () => {
    const { draw } = setUp()
    const seen = new Set(Array.from({ length: 5000 }, () => draw()))

    expect(seen.size).toBe(5000)
    // 170 nonces of 24 bytes fit into a block of 4,096.
    expect(blocks.length).toBe(Math.ceil(5000 / 170))
  })

  test('never gives a byte of a block twice, whatever the lengths asked for', () => {
    const { draw } = setUp()
    const words: number[] = []
    for (let i = 0; i < 3000; i++) {
      const bytes = Uint8Array.from(draw(4 * (1 + (i % 30))).split(','), Number)
      const view = new DataView(bytes.buffer)
      for (let at = 0; at < bytes.length; at += 4) words.push(view.getUint32(at))
    }

    expect(new Set(words).size).toBe(words.length)
    expect(words.includes(0)).toBe(false)
  })

  test('wipes what it has given out', () => {
    const { draw } = setUp()
    draw()
    const block = blocks[0] as Uint8Array

    expect(block.subarray(0, 24).every((byte) => byte === 0)).toBe(true)
    expect(block.subarray(24, 28).some((byte) => byte !== 0)).toBe(true)
  })

  test('writes only where it was asked to', () => {
    const { pool } = setUp()
    const out = new Uint8Array(40)
    pool.fill(out, 8, 24)

    expect([...out.subarray(0, 8), ...out.subarray(32)]).toEqual(Array.from({ length: 16 }, () => 0))
    expect(out.subarray(8, 32).some((byte) => byte !== 0)).toBe(true)
  })

  test('drops its block in a forked process', () => {
    const { world, draw } = setUp()
    draw()
    expect(blocks.length).toBe(1)
    draw()
    expect(blocks.length).toBe(1)
    world.pid = 101
    const child = draw()

    expect(blocks.length).toBe(2)
    // It starts at the new block, not at what the parent goes on to use.
    expect(Number(child.split(',')[2])).toBe((4096 / 4 + 1) >> 8)
    world.pid = 100
    draw()
    expect(blocks.length).toBe(3)
  })

  test.each([
    ['the wall clock jumps ahead, as after sleep or in a restored snapshot', 3_600_000],
    ['the wall clock jumps back', -1],
    ['a second has passed', 1000],
  ])('drops its block when %s', (_, jump) => {
    const { world, draw } = setUp()
    draw()
    world.now += 500
    draw()
    expect(blocks.length).toBe(1)
    world.now += jump > 0 ? jump - 500 : -500 + jump
    draw()

    expect(blocks.length).toBe(2)
  })

  test('uses its block for less than a second, however often it is asked', () => {
    const { world, draw } = setUp()
    draw()
    for (let i = 0; i < 9; i++) {
      world.now += 111
      draw()
    }
    expect(blocks.length).toBe(1)
    world.now += 1
    draw()

    expect(blocks.length).toBe(2)
  })

  test('gives nothing when the platform fails, and asks again the next time', () => {
    const { draw, pool, world } = setUp()
    draw()
    world.pid = 101
    vi.mocked(backend.randomFill).mockImplementationOnce(() => {
      throw new Error('no entropy')
    })
    const out = new Uint8Array(24)

    expect(() => pool.fill(out, 0, 24)).toThrow('no entropy')
    expect(out.every((byte) => byte === 0)).toBe(true)
    draw()
    expect(blocks.length).toBe(2)
  })

  test('gives all of a block of 4,096 bytes in one call', () => {
    const { draw } = setUp()
    const bytes = draw(4096).split(',')

    expect(bytes.length).toBe(4096)
    expect(() => draw(4097)).toThrow('length must be at most 4096')
    expect(blocks.length).toBe(1)
    draw(4)
    expect(blocks.length).toBe(2)
  })
})

test('two pools, with the real generator, share nothing', () => {
  vi.restoreAllMocks()
  const pools = [new RandomPool(), new RandomPool()]
  const seen = new Set<string>()
  for (let i = 0; i < 1000; i++) {
    for (const pool of pools) {
      const out = new Uint8Array(24)
      pool.fill(out, 0, 24)
      seen.add(String(out))
    }
  }

  expect(seen.size).toBe(2000)
})
