/** References that were computed, found again by names: a hash for each time that a key is looked for would cost more than all the rest. */

import { EMPTY, hex, utf8 } from '../format/bytes.ts'
import type { NodeKind } from '../format/records.ts'

/** One step down the tree: to a node beneath another. */
export interface Step {
  readonly kind: NodeKind
  readonly name: Uint8Array
  /** Stands for kind and name in memory: no two have the same. */
  readonly key: string
  /** Where the name is not known: the reference that it has. */
  readonly ref?: Uint8Array
}

/** The step to a node whose name is text. */
export function textStep(kind: NodeKind, text: string): Step {
  return new TextStep(kind, text)
}

// Most references are known: only where one is computed, the name is needed as bytes.
class TextStep implements Step {
  readonly kind: NodeKind
  readonly key: string
  readonly #text: string

  constructor(kind: NodeKind, text: string) {
    this.kind = kind
    this.key = `${kind} ${text}`
    this.#text = text
  }

  get name(): Uint8Array {
    return utf8(this.#text, 'name')
  }
}

/** The step to a node whose name is bytes. */
export function bytesStep(kind: NodeKind, name: Uint8Array): Step {
  return { kind, name, key: `${kind} ${hex(name)}` }
}

/** The step to a node of which only the reference is known. Nothing is made there. */
export function refStep(kind: NodeKind, ref: Uint8Array): Step {
  return { kind, name: EMPTY, key: `ref ${hex(ref)}`, ref }
}

/** A reference, and those beneath it that were asked for. */
export class KnownRef {
  readonly ref: Uint8Array
  /** In hexadecimal, as caches have it. */
  readonly key: string
  #below: Map<string, KnownRef> | undefined

  constructor(ref: Uint8Array) {
    this.ref = ref
    this.key = hex(ref)
  }

  below(step: Step): KnownRef | undefined {
    return this.#below?.get(step.key)
  }

  learn(step: Step, ref: Uint8Array): KnownRef {
    const known = new KnownRef(ref)
    this.#below ??= new Map()
    this.#below.set(step.key, known)
    return known
  }

  /** Forgets all that is beneath. */
  clear(): void {
    this.#below = undefined
  }
}
