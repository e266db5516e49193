/** Documents as they are read, in types: what is encrypted may turn out to be shredded. */

import type { z } from 'zod'

import type { EncryptedMark } from '../schema/encrypted.ts'
import type { ShreddedMark } from './shredded-mark.ts'

/**
 * What a document of a schema is where shredded values are marked: each value that was declared with `encrypted()` may be a
 * {@link ShreddedMark} instead.
 *
 * @example
 * ```ts
 * import { encrypted, type Shreddable, ShreddedMark } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({ _id: z.string(), name: encrypted(z.string()) })
 *
 * function shown({ _id, name }: Shreddable<typeof User>): string {
 *   return name instanceof ShreddedMark ? `deleted user ${_id}` : name
 * }
 * ```
 */
export type Shreddable<S> = S extends EncryptedMark
  ? z.output<S> | ShreddedMark
  : S extends z.ZodOptional<infer Inner>
    ? Shreddable<Inner> | undefined
    : S extends z.ZodNullable<infer Inner>
      ? Shreddable<Inner> | null
      : S extends z.ZodDefault<infer Inner> | z.ZodReadonly<infer Inner>
        ? Shreddable<Inner>
        : S extends z.ZodArray<infer Element>
          ? Shreddable<Element>[]
          : S extends z.ZodDiscriminatedUnion<infer Options>
            ? Shreddable<Options[number]>
            : S extends z.ZodObject<infer Shape>
              ? { [Name in keyof z.output<S>]: Name extends keyof Shape ? Shreddable<Shape[Name]> : z.output<S>[Name] }
              : z.output<S>
