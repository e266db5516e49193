/** A value that must not be printed by accident. */

const REDACTED = '[redacted]'

/**
 * Holds a key, token or personal datum so that no way of printing shows it: `String`, template, `JSON.stringify`,
 * `console.log`, `util.inspect`, spread and `structuredClone` all miss it. The only way in is {@link Secret.reveal}.
 *
 * @example
 * ```ts
 * import { Secret } from '@strongroom/core'
 *
 * const token = new Secret('xoxb-1')
 * console.log(`${token}`)          // [redacted]
 * await fetch('https://api.example', { headers: { authorization: `Bearer ${token.reveal()}` } })
 * ```
 */
export class Secret<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself. What is revealed cannot be redacted again: keep it in as few places as possible. */
  reveal(): T {
    return this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.toPrimitive](): string {
    return REDACTED
  }

  get [Symbol.toStringTag](): string {
    return 'Secret'
  }

  static {
    // Node's util.inspect asks by this registered symbol, so nothing of Node is imported here.
    Object.defineProperty(this.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: () => REDACTED })
  }
}
