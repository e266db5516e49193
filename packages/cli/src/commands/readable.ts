/** What a list gives before it throws for what it could not read: the rest is shown all the same. */

import { isVaultError } from '../vault-error.ts'

const UNREADABLE: readonly string[] = ['decrypt_failed', 'schema_mismatch']

/** @throws what the list throws about anything but records that do not open; the signal's reason */
export async function readable<T>(
  list: AsyncIterable<T>,
  signal: AbortSignal,
): Promise<{ readonly found: readonly T[]; readonly failure: { readonly code: string; readonly message: string } | undefined }> {
  const found: T[] = []
  try {
    for await (const each of list) {
      signal.throwIfAborted()
      found.push(each)
    }
  } catch (error) {
    if (!isVaultError(error) || !UNREADABLE.includes(error.code)) throw error
    return { found, failure: error }
  }
  return { found, failure: undefined }
}
