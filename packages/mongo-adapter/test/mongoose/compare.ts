// What a program sees of what a model did, for two models to be compared.
import type { AnyModel } from './support.ts'

/** One of the things that are done with both. */
export type Step = (people: AnyModel) => unknown

/** @param onError - hears what is thrown */
export async function outcome(step: Step, people: AnyModel, onError: (error: unknown) => void = () => undefined): Promise<unknown> {
  try {
    return plainForm(await step(people))
  } catch (error) {
    onError(error)
    const { name, code, keyPattern, errors } = error as Error & { code?: number; keyPattern?: object; errors?: Record<string, Error> }
    const each = Object.entries(errors ?? {}).map(([path, { name: of }]) => [path, of])
    // Of bulk writes the driver does not say it at the top.
    return { name, code, keyPattern: name === 'MongoServerError' ? keyPattern : undefined, errors: each }
  }
}

// Documents and results, instances of classes aside.
function plainForm(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}
