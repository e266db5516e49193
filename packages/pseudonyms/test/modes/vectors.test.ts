// The bytes of the IPCrypt draft: a few answers here, all of its own list where STRONGROOM_VECTORS names the folder that has it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { formatAddress, parseAddress } from '@strongroom/pseudonyms'
import { deterministic, nd, ndx, prefix, type ReversibleMode } from '@strongroom/pseudonyms/raw-keys'
import { describe, expect, test } from 'vitest'

import { hex } from '../support.ts'

interface Vector {
  readonly variant: string
  readonly key: string
  readonly ip: string
  readonly tweak?: string
  readonly encrypted_ip?: string
  readonly output?: string
}

// draft-denis-ipcrypt, appendix A.
const KNOWN: readonly Vector[] = [
  {
    variant: 'ipcrypt-deterministic',
    key: '0123456789abcdeffedcba9876543210',
    ip: '0.0.0.0',
    encrypted_ip: 'bde9:6789:d353:824c:d7c6:f58a:6bd2:26eb',
  },
  {
    variant: 'ipcrypt-pfx',
    key: '0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301',
    ip: '192.0.2.1',
    encrypted_ip: '100.115.72.131',
  },
  {
    variant: 'ipcrypt-pfx',
    key: '0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301',
    ip: '2001:db8::1',
    encrypted_ip: 'c180:5dd4:2587:3524:30ab:fa65:6ab6:f88',
  },
  {
    variant: 'ipcrypt-nd',
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    ip: '192.0.2.1',
    tweak: '08e0c289bff23b7c',
    output: '08e0c289bff23b7cca25fe3b7f2ca5e50a0deb24ef0469f8',
  },
  {
    variant: 'ipcrypt-ndx',
    key: '2b7e151628aed2a6abf7158809cf4f3c3c4fcf098815f7aba6d2ae2816157e2b',
    ip: '192.0.2.1',
    tweak: '21bd1834bc088cd2b4ecbe30b70898d7',
    output: '21bd1834bc088cd2b4ecbe30b70898d7259e85ebaa000667d2437ac7e2208d71',
  },
]

const FOLDER = process.env['STRONGROOM_VECTORS'] ?? ''
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

/** The mode of a vector; every tweak that it draws is the vector's. */
function modeOf({ variant, key, tweak = '' }: Vector): ReversibleMode {
  const tweaks = (length: number): Uint8Array => unhex(tweak.repeat((2 * length) / tweak.length))
  if (variant === 'ipcrypt-deterministic') return deterministic(unhex(key))
  if (variant === 'ipcrypt-pfx') return prefix(unhex(key))
  if (variant === 'ipcrypt-nd') return nd(unhex(key), tweaks)
  if (variant === 'ipcrypt-ndx') return ndx(unhex(key), tweaks)
  throw new Error(`${variant} is not known here`)
}

const blockOf = (ip: string): Uint8Array => parseAddress(ip) ?? new Uint8Array(0)

function check(vectors: readonly Vector[]): void {
  for (const vector of vectors) {
    const mode = modeOf(vector)
    const expected = vector.encrypted_ip ?? vector.output
    expect([vector, mode.pseudonymise(blockOf(vector.ip))]).toEqual([vector, [expected]])
    expect([vector, formatAddress(mode.reverse(expected as string) ?? new Uint8Array(16))]).toEqual([vector, vector.ip])
  }
}

/** All of one key at once, many times over, so that batches of any size are met. */
function checkBatches(vectors: readonly Vector[]): void {
  for (const first of vectors) {
    const same = vectors.filter(({ variant, key, tweak }) => variant === first.variant && key === first.key && tweak === first.tweak)
    for (const times of [1, 5, 33, 700]) {
      const many = Array.from({ length: times }, () => same).flat()
      const texts = modeOf(first).pseudonymise(Buffer.concat(many.map(({ ip }) => blockOf(ip))))
      expect(texts).toEqual(many.map(({ encrypted_ip: address, output }) => address ?? output))
    }
  }
}

describe('known answers', () => {
  test('single', () => check(KNOWN))
  test('in batches', () => checkBatches(KNOWN))

  test('as bytes, they are those of the text', () => {
    for (const vector of KNOWN) {
      const mode = modeOf(vector)
      const bytes = mode.pseudonymiseBytes(blockOf(vector.ip))
      expect(bytes).toHaveLength(mode.size)
      expect(vector.output ?? vector.encrypted_ip).toBe(vector.output === undefined ? formatAddress(bytes) : hex(bytes))
    }
  })
})

describe.skipIf(FOLDER === '')('all of the draft', () => {
  const all = (): readonly Vector[] => JSON.parse(readFileSync(join(FOLDER, 'ipcrypt', 'test_vectors.json'), 'utf8')) as readonly Vector[]

  test('single: 31 of them', () => {
    check(all())
    expect(all()).toHaveLength(31)
  })
  test('in batches', () => checkBatches(all()))
})
