/** Entries of the state store by `_id`: the length of the namespace, the namespace, the key. Strings compare by their UTF-8 bytes. */

import { invalidArgument } from '@strongroom/core'

const MAX_NAMESPACE = 256
const MAX_KEY = 512
const LAST = 0x10ffff
const BEFORE_SURROGATES = 0xd7ff
const AFTER_SURROGATES = 0xe000

/** @throws StrongroomError `invalid_argument` */
export function placeOf(namespace: string, key: string): string {
  return namespacePlace(namespace) + text(key, 'key', 1, MAX_KEY)
}

/** The namespace itself, if it is one. @throws StrongroomError `invalid_argument` */
export function checkNamespace(namespace: string): string {
  return text(namespace, 'namespace', 1, MAX_NAMESPACE)
}

/** The key after which a page begins, or the beginning of keys: empty is allowed. @throws StrongroomError `invalid_argument` */
export function partOfKey(part: string, argument: string): string {
  return text(part, argument, 0, MAX_KEY)
}

/** Between which bounds the keys of a page are. @throws StrongroomError `invalid_argument` */
export function pageOf(
  namespace: string,
  prefix: string,
  after: string | undefined,
): { readonly $gte: string; readonly $lt: string; readonly $gt?: string } {
  const start = namespacePlace(namespace)
  const $gte = start + partOfKey(prefix, 'prefix')
  const bounds = { $gte, $lt: firstBehind($gte) }
  return after === undefined ? bounds : { ...bounds, $gt: start + partOfKey(after, 'after') }
}

// With its length before it, so that no namespace is the beginning of another.
function namespacePlace(namespace: string): string {
  return `${checkNamespace(namespace).length}:${namespace}:`
}

// The least string that is greater than all that begin with a prefix. One of ours has a digit in it, which has a follower.
function firstBehind(prefix: string): string {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number)
  while (points.at(-1) === LAST) points.pop()
  const last = points.pop() as number
  return String.fromCodePoint(...points, last === BEFORE_SURROGATES ? AFTER_SURROGATES : last + 1)
}

function text(value: string, argument: string, least: number, most: number): string {
  if (typeof value !== 'string' || !value.isWellFormed()) throw invalidArgument(argument, 'must be a string without lone surrogates')
  const length = Buffer.byteLength(value)
  if (length < least || length > most) throw invalidArgument(argument, `must have ${least} to ${most} UTF-8 bytes`)
  return value
}
