// Random programs with documents and queries on a plain and an encrypted model: no difference. More of them in .ci/run.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { expectSilence, forget, uri } from '../support.ts'
import { ALL, personOf } from './people.ts'
import { answerOf, begin, contents, encryptedAnswer, expectText, openSides } from './sides.ts'
import { type Held, type Step, steps } from './steps.ts'

const sequences = Number(process.env['STRONGROOM_MODEL_SEQUENCES'] ?? 8)
// Fixed, so that a change is what makes a difference; another one in .ci/run.
const seed = Number(process.env['STRONGROOM_SEED'] ?? 20_300_101)

// The steps by their names: what they do says nothing.
function tell({ failed, counterexample, counterexamplePath, errorInstance }: fc.RunDetails<[readonly Step[]]>): void {
  if (!failed) return
  const names = counterexample?.[0].map(({ name }) => name).join('\n')
  throw new Error(`seed ${seed}, path ${counterexamplePath}:\n${names}\n${(errorInstance as Error).message}`, { cause: errorInstance })
}

describe.skipIf(uri === undefined)('random programs', () => {
  test.each([
    ['as models are', {}],
    ['with optimistic concurrency, nothing minimized', { optimisticConcurrency: true, minimize: false }],
  ])(
    '%s',
    async (_, options) => {
      let now = 0
      const sides = await openSides((mark) => ({ Person: personOf(mark, () => new Date(now), options) }))
      const done = { steps: 0, failed: 0 }
      await fc.assert(
        fc.asyncProperty(steps, async (program) => {
          await begin(sides, { Person: ALL })
          forget()
          const [held, others]: [Held, Held] = [new Map(), new Map()]
          const { plain, encrypted } = sides
          for (const [side, all] of [
            [encrypted, held],
            [plain, others],
          ] as const)
            for (const each of (await side.models['Person']?.find().sort('_id')) ?? [])
              all.set(each._id as unknown as string, each as never)
          for (const { name, call } of program) {
            now += 1000
            const answer = await encryptedAnswer(encrypted, (models) => call(models['Person'] as never, held))
            done.steps++
            // Nothing of this is what docs/mongoose.md says is refused.
            if (answer.refused !== undefined) expect.fail(`${name}: ${answer.text}`)
            const told = encrypted.hooks.join('\n')
            const expected = await answerOf(plain, (models) => call(models['Person'] as never, others))
            if (expected.text.startsWith('threw')) done.failed++
            expectText(`${name}: ${answer.text}`, `${name}: ${expected.text}`)
            expectText(`${name}: ${told}`, `${name}: ${plain.hooks.join('\n')}`)
            expectText(`${name}: ${encrypted.seen.of(held)}`, `${name}: ${plain.seen.of(others)}`)
          }
          expectText(await contents(encrypted), await contents(plain))
          await expectSilence()
        }),
        { seed, numRuns: sequences, reporter: tell },
      )
      process.stdout.write(`random programs with models: ${done.steps} steps, ${done.failed} of which failed; seed ${seed}\n`)
      // What is done is done, by and large.
      expect(done.failed / done.steps).toBeLessThan(0.3)
    },
    3_600_000,
  )
})
