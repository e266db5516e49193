import { Secret } from '@strongroom/core'
import { format, inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

const VALUE = 'xoxb-4711'
const secret = new Secret(VALUE)
// As where nothing checks types.
const untyped: unknown = secret
const templated = (): string => `a ${untyped as string}`

test('reveal gives the very thing', () => {
  const bytes = new Uint8Array([1, 2, 3])
  expect(secret.reveal()).toBe(VALUE)
  expect(new Secret(bytes).reveal()).toBe(bytes)
  for (const value of [undefined, null, 0, '', Number.NaN]) expect(new Secret(value).reveal()).toBe(value)
})

describe('nothing else shows it', () => {
  const held = { token: secret, list: [secret], map: new Map([['token', secret]]) }
  const WAYS: readonly [string, () => string][] = [
    ['String', () => String(secret)],
    ['a template', templated],
    ['addition', () => 'a' + (untyped as string)],
    ['a number', () => String(Number(secret))],
    ['toLocaleString', () => secret.toLocaleString()],
    ['JSON', () => JSON.stringify(held)],
    ['inspect', () => inspect(held, { depth: Infinity, showHidden: true })],
    ['inspect with getters', () => inspect(held, { depth: Infinity, showHidden: true, getters: true })],
    ['inspect without custom functions', () => inspect(held, { depth: Infinity, showHidden: true, getters: true, customInspect: false })],
    ['format', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
    ['spread', () => JSON.stringify({ ...secret })],
    ['its keys', () => JSON.stringify([Object.keys(secret), Reflect.ownKeys(secret), Object.entries(secret)])],
    ['its prototype', () => JSON.stringify(Reflect.ownKeys(Secret.prototype).map(String))],
    ['structuredClone', () => inspect(structuredClone(held.list), { depth: Infinity, showHidden: true })],
    ['Object.assign', () => inspect(Object.assign({}, secret), { showHidden: true })],
    ['its string tag', () => Object.prototype.toString.call(secret)],
    ['an error message', () => new Error(`failed with ${templated()}`).stack ?? ''],
  ]

  test.each(WAYS)('%s', (_, print) => {
    expect(print()).not.toContain(VALUE)
  })

  test('and where there is something to print, it is [redacted]', () => {
    expect([String(secret), templated().slice(2), JSON.stringify(secret), inspect(secret)]).toEqual([
      '[redacted]',
      '[redacted]',
      '"[redacted]"',
      '[redacted]',
    ])
    expect(inspect({ secret })).toBe('{ secret: [redacted] }')
  })

  test('its printing cannot be switched off on one', () => {
    expect(Object.keys(Secret.prototype)).toEqual([])
    expect(Reflect.getOwnPropertyDescriptor(Secret.prototype, Symbol.for('nodejs.util.inspect.custom'))).toMatchObject({
      writable: false,
      configurable: false,
      enumerable: false,
    })
  })

  test('console.log shows nothing', () => {
    const lines: string[] = []
    const write = process.stdout.write
    process.stdout.write = ((chunk: string) => lines.push(chunk) > 0) as typeof write
    try {
      console.log(secret, held)
    } finally {
      process.stdout.write = write
    }
    expect(lines.join('')).not.toContain(VALUE)
  })
})
