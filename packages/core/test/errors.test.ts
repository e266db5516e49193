import { type StrongroomErrorCode, StrongroomError } from '@strongroom/core'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'

import { decryptFailed, hasCode, invalidArgument } from '#core/errors.js'

test('an error has a code, a message, and keeps its cause', () => {
  const cause = new Error('below')
  const error = new StrongroomError('key_store_unavailable', 'said', { cause })
  expect([error.name, error.code, error.message, error.cause, error.argument]).toEqual([
    'StrongroomError',
    'key_store_unavailable',
    'said',
    cause,
    undefined,
  ])
  expect(error).toBeInstanceOf(Error)
  expect(Object.prototype.toString.call(error)).toBe('[object Error]')
  expect(String(error)).toBe('StrongroomError: said')
})

test('without a cause there is none, not even undefined', () => {
  expect('cause' in new StrongroomError('conflict', 'said')).toBe(false)
})

test('as JSON it is name, code and message, and never its cause', () => {
  const error = new StrongroomError('denied', 'said', { cause: new Error('SECRET') })
  expect(JSON.parse(JSON.stringify({ error }))).toEqual({ error: { name: 'StrongroomError', code: 'denied', message: 'said' } })
})

test('invalid_argument names the argument in its message and as a property', () => {
  const error = invalidArgument('record', 'must be one')
  expect([error.code, error.argument, error.message]).toEqual(['invalid_argument', 'record', 'record must be one'])
})

test('every failure to open has one message', () => {
  expect(inspect(decryptFailed().message)).toBe(inspect(decryptFailed().message))
  expect(decryptFailed().code).toBe('decrypt_failed')
  expect('cause' in decryptFailed()).toBe(false)
})

test('hasCode knows only ours', () => {
  expect(hasCode(new StrongroomError('conflict', 'x'), 'shredded', 'conflict')).toBe(true)
  expect(hasCode(new StrongroomError('conflict', 'x'), 'shredded')).toBe(false)
  for (const other of [Object.assign(new Error('x'), { code: 'conflict' }), { code: 'conflict' }, undefined, null, 'conflict'])
    expect(hasCode(other, 'conflict')).toBe(false)
})

test('every code is documented, and each is thrown somewhere or promised to providers', () => {
  const source = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8')
  const union = source.slice(source.indexOf('export type StrongroomErrorCode'), source.indexOf('export interface StrongroomErrorOptions'))
  const codes = [...union.matchAll(/\| '([a-z_]+)'/g)].map(([, code]) => code as StrongroomErrorCode)
  expect(codes.length).toBeGreaterThan(20)
  expect(new Set(codes).size).toBe(codes.length)
})
