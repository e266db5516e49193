/** Which mode is made of which key. */

import type { RawPeriodKeysOptions } from '@strongroom/core'

import { deterministic } from '../modes/deterministic.ts'
import type { KeyedMode, ModeName, ReversibleMode } from '../modes/mode.ts'
import { nd } from '../modes/nd.ts'
import { ndx } from '../modes/ndx.ts'
import { prefix } from '../modes/prefix.ts'
import { token } from '../modes/token.ts'

/** A mode that has a key. */
type KeyedModeName = Exclude<ModeName, 'truncate'>

interface Making {
  readonly use: RawPeriodKeysOptions['use']
  readonly make: (key: Uint8Array, period: number) => KeyedMode
  /** What undoes it, where anything does. */
  readonly undo?: (key: Uint8Array) => ReversibleMode
  /** Whether what comes out of another period's key can be told: of `prefix` every answer looks right. */
  readonly tells?: boolean
}

// AES-128 takes the first half of the 32 bytes, which HKDF would have answered with, asked for 16.
const half =
  (mode: (key: Uint8Array) => ReversibleMode) =>
  (key: Uint8Array): ReversibleMode =>
    mode(key.subarray(0, 16))

export const KEYED_MODES: Readonly<Record<KeyedModeName, Making>> = {
  deterministic: { use: 'pseudonym-deterministic', make: half(deterministic), undo: half(deterministic), tells: true },
  prefix: { use: 'pseudonym-prefix', make: (key) => prefix(key), undo: (key) => prefix(key) },
  nd: { use: 'pseudonym-nd', make: half(nd), undo: half(nd), tells: true },
  ndx: { use: 'pseudonym-ndx', make: (key) => ndx(key), undo: (key) => ndx(key), tells: true },
  token: { use: 'pseudonym-token', make: token },
}
