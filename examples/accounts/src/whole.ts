/** Whatever is read and acted on, with all of it that must be there. */

import type { z } from 'zod'

import { DocumentError } from './errors.ts'

/**
 * A value that opens was vouched for by who has the keys; one that is absent or `null` by nobody, and who can write the database can take any
 * away. So no absence may mean anything.
 *
 * @throws DocumentError
 */
export function whole<T>(schema: z.ZodType<T>, document: unknown): T {
  const { data, error } = schema.safeParse(document)
  if (error) throw new DocumentError(error.issues.map(({ path }) => path.join('.') || 'all of it'))
  return data
}
