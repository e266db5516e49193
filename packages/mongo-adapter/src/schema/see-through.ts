/** The wrappers that change when a value may be missing, and not what it is. */

import type { z } from 'zod'

const WRAPPERS: readonly string[] = ['optional', 'nullable', 'default', 'readonly']

/** The schema within them. */
export function seeThrough(schema: z.core.$ZodType): z.core.$ZodType {
  if (!WRAPPERS.includes(schema._zod.def.type)) return schema
  return seeThrough((schema._zod.def as unknown as { readonly innerType: z.core.$ZodType }).innerType)
}
