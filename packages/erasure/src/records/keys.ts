/** The keys of entries about erasures, and the ids that stand for them outside: references alone, never a name. */

import { openErasureKey } from '@strongroom/core'

const OPEN = 'open'
const REFERENCE = /^[0-9a-f]{32}$/
const MOST_REFERENCES = 3
const ROOT_VERSION_DIGITS = 10

/** Which erasure an entry is of. */
export interface ErasureKey {
  /** From the tenant's down to its own. */
  readonly references: readonly string[]
  /** `undefined` where it is under way. */
  readonly nonce: string | undefined
}

export { openErasureKey as openKey }

/** Of one that has ended. */
export function endedKey(vaultId: string, references: readonly string[], nonce: string): string {
  return [vaultId, ...references, nonce].join('/')
}

/** Of the note that one waits for its epoch: those of a region in the order of their root versions. */
export function closingKey(vaultId: string, region: string, rootVersion: number, references: readonly string[], nonce: string): string {
  return [vaultId, region, String(rootVersion).padStart(ROOT_VERSION_DIGITS, '0'), ...references, nonce].join('/')
}

/** What a closing key says; `undefined` for what is none. */
export function readClosingKey(
  key: string,
): { readonly region: string; readonly rootVersion: number; readonly references: readonly string[]; readonly nonce: string } | undefined {
  const [, region, number = '', ...rest] = key.split('/')
  const nonce = rest.pop()
  if (region === undefined || nonce === undefined || rest.length === 0 || !/^\d{10}$/.test(number) || !rest.every(isReference))
    return undefined
  return { region, rootVersion: Number(number), references: rest, nonce }
}

/** What everything of a place, and beneath it, begins with. */
export function prefixOf(vaultId: string, references: readonly string[]): string {
  return `${[vaultId, ...references].join('/')}/`
}

/** Whose erasure an entry is of; `undefined` for what is no key of one. */
export function readKey(key: string): ErasureKey | undefined {
  const [, ...rest] = key.split('/')
  const last = rest.pop()
  if (last === undefined || !areReferences(rest)) return undefined
  if (last === OPEN) return { references: rest, nonce: undefined }
  return isReference(last) ? { references: rest, nonce: last } : undefined
}

/** The id of an erasure. */
export function idOf(references: readonly string[], nonce: string): string {
  return [...references, nonce].join('.')
}

/** What an id says; `undefined` for what is none. */
export function readId(id: string): { readonly references: readonly string[]; readonly nonce: string } | undefined {
  const references = typeof id === 'string' ? id.split('.') : []
  const nonce = references.pop()
  return nonce !== undefined && isReference(nonce) && areReferences(references) ? { references, nonce } : undefined
}

/** Whether they can be those of a place, from the tenant's down. */
export function areReferences(given: readonly unknown[]): given is readonly string[] {
  return given.length >= 1 && given.length <= MOST_REFERENCES && given.every((each) => typeof each === 'string' && isReference(each))
}

function isReference(text: string): boolean {
  return REFERENCE.test(text)
}
