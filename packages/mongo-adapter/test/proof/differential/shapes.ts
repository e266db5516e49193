// The schemas that random operations are done on.
import { arrays } from './list-shapes.ts'
import { flat, nested } from './object-shapes.ts'
import type { Shape } from './shape.ts'
import { union } from './union-shapes.ts'
import { values } from './value-shapes.ts'

export const SHAPES: readonly Shape[] = [flat, nested, arrays, union, values]
