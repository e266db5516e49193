/** Whether what is to be written fits the schema. An error names paths that the schema declares, never a value, nor a key within one. */

import { StrongroomError } from '@strongroom/core'
import { z } from 'zod'

import { isTree } from '../values/resolve.ts'
import type { ObjectNode, SchemaNode } from './node.ts'
import { seeThrough } from './see-through.ts'

/** A value that an update puts at a dotted path. */
export interface PlacedValue {
  readonly path: string
  readonly value: unknown
}

export interface Validation {
  /** @throws StrongroomError `schema_mismatch` */
  documents(documents: readonly unknown[]): Promise<void>
  /** Of paths that the schema says nothing of, nothing is asked. @throws StrongroomError `schema_mismatch` */
  values(placed: readonly PlacedValue[]): Promise<void>
}

type Step = PropertyKey
const POSITION = /^(?:\d+|\$|\$\[[A-Za-z0-9]*\])$/u
const MOST_NAMED = 10

/** @param root - of the same schema */
export function validationOf(schema: z.ZodType, root: ObjectNode): Validation {
  return {
    async documents(documents) {
      for (const document of documents) {
        const bad = (await misfits(schema, withoutOwnId(document, root))).map((path) => shown(root, path))
        // The driver gives an id to what has none.
        const named = bad.filter((path) => !(path === '_id' && isTree(document) && document['_id'] === undefined))
        if (named.length > 0) throw mismatch(named)
      }
    },
    async values(placed) {
      for (const { path, value } of placed) {
        const steps = path.split('.')
        const candidates = schemasAt(schema, steps)
        let bad: readonly (readonly Step[])[] = []
        for (const candidate of candidates) {
          bad = await misfits(candidate, value)
          if (bad.length === 0) break
        }
        if (bad.length > 0) throw mismatch(bad.map((below) => shown(root, [...steps, ...below])))
      }
    },
  }
}

// A schema that says nothing of `_id` need not allow it.
function withoutOwnId(document: unknown, root: ObjectNode): unknown {
  if (!isTree(document) || root.members.has('_id')) return document
  const { _id, ...rest } = document
  return rest
}

/** Where a value does not fit; nowhere, if it does. What a schema throws may hold the value, and goes no further. */
async function misfits(schema: z.core.$ZodType, value: unknown): Promise<readonly (readonly Step[])[]> {
  try {
    const result = await (schema as z.ZodType).safeParseAsync(value)
    return result.success ? [] : result.error.issues.map(({ path }) => path)
  } catch {
    return [[]]
  }
}

interface Declared {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly element?: z.core.$ZodType
  readonly options?: readonly z.core.$ZodType[]
  readonly items?: readonly z.core.$ZodType[]
  readonly rest?: z.core.$ZodType | null
  readonly keyType?: z.core.$ZodType
  readonly valueType?: z.core.$ZodType
  readonly innerType?: z.core.$ZodType
  readonly getter?: () => z.core.$ZodType
}

/** Every schema that a value at a path may have: of a discriminated union, those of all options. */
function schemasAt(schema: z.core.$ZodType, steps: readonly string[]): readonly z.core.$ZodType[] {
  const [step, ...below] = steps
  if (step === undefined) return [schema]
  const declared = seeThrough(schema)._zod.def as Declared
  const at = (inner: z.core.$ZodType | null | undefined, rest: readonly string[]): readonly z.core.$ZodType[] =>
    inner === undefined || inner === null ? [] : schemasAt(inner, rest)
  // Not of a catch: there everything fits.
  switch (declared.type) {
    case 'object':
      return at(Object.hasOwn(declared.shape ?? {}, step) ? declared.shape?.[step] : undefined, below)
    case 'array':
      return POSITION.test(step) ? at(declared.element, below) : []
    case 'tuple':
      return at(declared.items?.[Number(step)] ?? declared.rest, below)
    case 'record':
      return isKey(declared.keyType, step) ? at(declared.valueType, below) : [NOTHING]
    case 'union':
      return (declared.options ?? []).flatMap((option) => schemasAt(option, steps))
    case 'lazy':
      return at(declared.getter?.(), steps)
    case 'nonoptional':
    case 'prefault':
      return at(declared.innerType, steps)
  }
  return []
}

const NOTHING = z.never()

// What cannot be asked at once is taken for one.
function isKey(schema: z.core.$ZodType | undefined, name: string): boolean {
  try {
    return schema === undefined || (schema as z.ZodType).safeParse(name).success
  } catch {
    return true
  }
}

/** As much of a path as the schema declares: below that, keys are data. */
function shown(root: ObjectNode, path: readonly Step[]): string {
  const steps: string[] = []
  let node: SchemaNode | undefined = root
  for (const step of path) {
    const name = String(step)
    if (node?.kind === 'array' && POSITION.test(name)) node = node.element
    else if (node?.kind === 'object' && node.members.has(name)) node = node.members.get(name)
    else break
    steps.push(name)
  }
  return steps.join('.')
}

function mismatch(paths: readonly string[]): StrongroomError {
  const named = [...new Set(paths)].filter((path) => path !== '').slice(0, MOST_NAMED)
  return new StrongroomError(
    'schema_mismatch',
    `what was to be written does not fit the schema${named.length === 0 ? '' : ` at ${named.join(', ')}`}; nothing was sent`,
  )
}
