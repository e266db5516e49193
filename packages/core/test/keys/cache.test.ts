import { manualClock } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { Aging, instant, isFresh, KeyCache } from '#core/keys/key-cache.js'
import { systemClock } from '#core/clock.js'

import { START, until } from '../vault/support.ts'

class Entry extends Aging {
  wiped = 0
  protected override wipe(): void {
    this.wiped++
  }
}

function cacheOf(maxEntries: number, maxAge = 1000) {
  const clock = manualClock(START)
  const cache = new KeyCache<Entry>({ maxAge, maxEntries, clock })
  const add = (key: string): Entry => {
    const entry = new Entry(instant(clock))
    cache.set(key, entry)
    return entry
  }
  return { clock, cache, add }
}

describe('age', () => {
  const at = { wall: START, monotonic: 50 }

  test.each([
    ['on the day it was read', 0, 0, true],
    ['one millisecond before the bound', 999, 999, true],
    ['exactly at the bound', 1000, 1000, false],
    ['at the bound on the wall clock only', 1000, 0, false],
    ['at the bound on the monotonic clock only', 0, 1000, false],
    ['far beyond the bound', 1e12, 1e12, false],
    ['with a wall clock that went back', -1, 10, false],
    ['with a wall clock that went back behind a monotonic one that did not move', -1, 0, false],
    ['with a wall clock that jumped forward', 1e12, 1, false],
    ['with a wall clock that reads NaN', Number.NaN, 1, false],
    ['with a monotonic clock that reads NaN', 1, Number.NaN, false],
  ])('a key %s: fresh is %s %s %s', (_, wall, monotonic, fresh) => {
    expect(isFresh(at, { wall: at.wall + wall, monotonic: at.monotonic + monotonic }, 1000)).toBe(fresh)
  })

  test('an entry is not handed out at its bound, and is one millisecond before', () => {
    const { cache, clock, add } = cacheOf(10)
    const entry = add('a')
    clock.advance(999)
    expect(cache.get('a')).toBe(entry)
    clock.advance(1)
    expect(cache.get('a')).toBeUndefined()
    cache.clear()
  })

  test('a share of its life is the whole bound for who asks for that share', () => {
    const { cache, clock, add } = cacheOf(10)
    const entry = add('a')
    clock.advance(499)
    expect(cache.get('a', 0.5)).toBe(entry)
    clock.advance(1)
    expect(cache.get('a', 0.5)).toBeUndefined()
    expect(cache.get('a')).toBe(entry)
    cache.clear()
  })

  test('a wall clock set back makes an entry unusable, one that is set right again does not revive what is too old', () => {
    const { cache, clock, add } = cacheOf(10)
    const entry = add('a')
    clock.jump(-5000)
    expect(cache.get('a')).toBeUndefined()
    clock.jump(5000)
    expect(cache.get('a')).toBe(entry)
    clock.advance(1000)
    clock.jump(-500)
    expect(cache.get('a')).toBeUndefined()
    cache.clear()
  })
})

describe('size', () => {
  test('the least recently used leaves, and is wiped', async () => {
    const { cache, add } = cacheOf(2)
    const [a, b] = [add('a'), add('b')]
    cache.get('a')
    const c = add('c')
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([a, undefined, c])
    await until(() => !b.alive)
    expect([a.alive, c.alive]).toEqual([true, true])
    cache.clear()
  })

  test('no more than the bound stay alive, what was replaced counted', async () => {
    const { cache, add } = cacheOf(3)
    const all = Array.from({ length: 100 }, (_, i) => add(`key ${i % 4}`))
    await until(() => all.filter((entry) => entry.alive).length <= 3)
    expect(all.filter((entry) => entry.alive).length).toBe(3)
    cache.clear()
    expect(all.filter((entry) => entry.alive).length).toBe(0)
  })

  test('what is pinned outlives its eviction, is wiped once it is let go, and at the end of its life in any case', async () => {
    const { cache, clock, add } = cacheOf(1, 20)
    const [held, aged] = [add('a'), add('b')]
    for (const entry of [held, aged]) entry.pin()
    const other = add('c')
    add('d')
    await until(() => !other.alive)
    expect([held.alive, aged.alive, other.wiped]).toEqual([true, true, 1])
    held.unpin()
    await until(() => !held.alive)
    expect(aged.alive).toBe(true)
    clock.advance(20)
    expect(cache.usable(aged, instant(clock))).toBe(false)
    await until(() => !aged.alive)
    expect([held.wiped, aged.wiped]).toEqual([1, 1])
    cache.clear()
  })

  test('a pin does not keep what is invalidated', () => {
    const { cache, add } = cacheOf(10)
    const entry = add('a')
    entry.pin()
    cache.invalidate('a')
    expect([entry.alive, entry.wiped]).toEqual([false, 1])
  })

  test('what was replaced lives on for the handles that hold it, and dies with an invalidation', () => {
    const { cache, clock, add } = cacheOf(10)
    const old = add('a')
    old.pin()
    clock.advance(10)
    const young = add('a')
    expect([old.alive, young.alive]).toEqual([true, true])
    expect(cache.get('a')).toBe(young)
    expect(cache.usable(old, instant(clock))).toBe(true)
    cache.invalidate('a')
    expect([old.alive, young.alive]).toEqual([false, false])
  })

  test('what was evicted from under a handle is not touched by the invalidation of another key', () => {
    const { cache, clock, add } = cacheOf(1)
    const held = add('a')
    held.pin()
    add('b')
    cache.invalidate('b')
    expect([held.alive, cache.usable(held, instant(clock))]).toEqual([true, true])
    cache.invalidate('a')
    expect(held.alive).toBe(false)
  })
})

describe('leaving without traffic', () => {
  test('what is too old is wiped though nobody asks for it, the replaced ones too', async () => {
    const cache = new KeyCache<Entry>({ maxAge: 20, maxEntries: 10, clock: systemClock })
    const all = ['a', 'b', 'a'].map((key) => {
      const entry = new Entry(instant(systemClock))
      cache.set(key, entry)
      return entry
    })
    await until(() => all.every((entry) => !entry.alive))
    expect(cache.get('a')).toBeUndefined()
  })

  test('what is young stays when its elder leaves', async () => {
    const clock = manualClock(START)
    const cache = new KeyCache<Entry>({ maxAge: 20, maxEntries: 10, clock })
    const old = new Entry(instant(clock))
    cache.set('old', old)
    clock.advance(15)
    const young = new Entry(instant(clock))
    cache.set('young', young)
    clock.advance(5)
    await until(() => !old.alive)
    expect(young.alive).toBe(true)
    expect(cache.get('young')).toBe(young)
    cache.clear()
    expect(young.alive).toBe(false)
  })
})
