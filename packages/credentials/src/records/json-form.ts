/** Entries of the state store: JSON of a numbered form, strict on the way back. */

import { decryptFailed, type DueEntry } from '@strongroom/core'
import type { z } from 'zod'

/** The number of the only form that there is. */
export const FORM = 1

export function encodeEntry(entry: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ form: FORM, ...entry }))
}

/** What is due, of one vault; each by itself: one that is damaged keeps no other from being ended. */
export interface DueRecord<T> {
  readonly key: string
  /** `undefined`: not of a form that was written here. */
  readonly record: T | undefined
}

/** @param decode - throws for what is damaged */
export function dueRecord<T>(entry: DueEntry, decode: (entry: DueEntry) => T): DueRecord<T> {
  try {
    return { key: entry.key, record: decode(entry) }
  } catch {
    return { key: entry.key, record: undefined }
  }
}

/** @throws StrongroomError `decrypt_failed` for bytes of another form */
export function decodeEntry<T extends object>(schema: z.ZodType<T & { readonly form: number }>, bytes: Uint8Array): Omit<T, 'form'> {
  try {
    const { form: _, ...entry } = schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    return entry
  } catch {
    throw decryptFailed()
  }
}
