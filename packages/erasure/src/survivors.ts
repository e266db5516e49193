/** What outlives an erasure, as the resources say it: once nothing is left of it, and again when its certificate is signed. */

import type { NamelessPlace, Survivor } from '@strongroom/core'
import { z } from 'zod'

import { printsAsName } from './certificate/body.ts'
import type { ErasureParts } from './parts.ts'
import { instant } from './records/forms.ts'
import { within, WORK_WITHIN } from './sweep/within.ts'

/** What one resource has said. */
export interface ResourceSurvivors {
  readonly name: string
  readonly survivors: readonly Survivor[]
}

const survivor: z.ZodType<Survivor> = z.strictObject({
  what: z.enum(['revocation', 'index']),
  name: z.string().refine(printsAsName),
  count: instant.optional(),
  scope: z.enum(['tenant', 'application']).optional(),
  generation: z.number().int().min(1).optional(),
  until: instant.optional(),
})
const said = z.array(survivor)

export const survivorsForm: z.ZodType<readonly ResourceSurvivors[]> = z.array(z.strictObject({ name: z.string(), survivors: said }))

/** Whom to ask. */
export interface AskedSurvivors {
  readonly names: readonly string[]
  /** What they have said earlier: of one that there is no more in this deployment, or that cannot say, it is all that is known. */
  readonly before?: readonly ResourceSurvivors[] | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks each resource by its name.
 *
 * @throws what a resource throws, and an error where its answer is none
 */
export async function askSurvivors(
  { options }: Pick<ErasureParts, 'options'>,
  place: NamelessPlace,
  { names, before = [], signal }: AskedSurvivors,
): Promise<readonly ResourceSurvivors[]> {
  const found: ResourceSurvivors[] = []
  for (const name of names) {
    const resource = options.resources.get(name)
    const earlier = before.find((one) => one.name === name)?.survivors ?? []
    const ask = resource?.survivors?.bind(resource)
    const survivors = ask === undefined ? earlier : said.parse(await within(WORK_WITHIN, signal, () => ask(place)))
    if (survivors.length > 0) found.push({ name, survivors })
  }
  return found
}
