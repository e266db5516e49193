/** Paths as updates and errors have them, with positions in arrays, beside paths as schemas have them, without. */

/** The steps of a path but its positions: numbers, `$`, `$[]` and `$[name]`. */
export function stepsWithoutPositions(path: string): readonly string[] {
  return path.split('.').filter((step) => !/^(?:\d+|\$.*)$/u.test(step))
}
