import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { expect, test } from 'vitest'

import { AAD, message, newPath, PLAINTEXT, RAW_KEY, readDocument, refused, startWorker } from './support.ts'

const open = (file: string) => localKeyProvider({ file, rawKey: RAW_KEY, copiesLife: 0 })

test('a process killed at any instant leaves a file that opens, never an older one', async () => {
  const file = await newPath()
  await createLocalKeyFile({ file, rawKey: RAW_KEY })
  let before = await readDocument(file)
  for (let round = 0; round < 30; round++) {
    const worker = startWorker('churn', file)
    await message(worker)
    await delay(Math.random() * 50)
    worker.kill('SIGKILL')
    await once(worker, 'exit')

    const after = await readDocument(file)
    expect(after.generation).toBeGreaterThanOrEqual(before.generation)
    for (const [i, { number, state }] of before.versions.entries()) {
      expect(after.versions[i]?.number).toBe(number)
      if (state === 'destroyed') expect(after.versions[i]?.state).toBe('destroyed')
    }
    const provider = await open(file)
    const wrapped = await provider.wrap(PLAINTEXT, { aad: AAD })
    expect(Buffer.compare(await provider.unwrap(wrapped, { aad: AAD }), PLAINTEXT)).toBe(0)
    // Its lock went with it.
    await provider.createVersion(wrapped.rootVersion.number + 1)
    before = await readDocument(file)
    provider.close()
  }
  // One change of each worker at least, and one of ours after each.
  expect(before.generation).toBeGreaterThan(60)
})

test('eight processes make ten versions each: 80 numbers, none twice, none lost', async () => {
  const file = await newPath()
  await createLocalKeyFile({ file, rawKey: RAW_KEY })
  const workers = Array.from({ length: 8 }, () => startWorker('next', file, '10'))
  const numbers = (await Promise.all(workers.map((worker) => message(worker)))).flat() as number[]
  expect(new Set(numbers).size).toBe(80)
  const versions = await (await open(file)).versions()
  expect(versions.map(({ number }) => number)).toEqual([1, ...numbers.sort((a, b) => a - b)])
  expect((await readDocument(file)).generation).toBe(81)
})

test('a process that has the file open neither uses nor brings back a version that another one destroyed', async () => {
  const file = await newPath()
  await createLocalKeyFile({ file, rawKey: RAW_KEY })
  const stale = await open(file)
  const wrapped = await stale.wrap(PLAINTEXT, { aad: AAD })
  expect(Buffer.compare(await stale.unwrap(wrapped, { aad: AAD }), PLAINTEXT)).toBe(0)

  const answer = await message(startWorker('rotate', file))
  await refused(stale.unwrap(wrapped, { aad: AAD }), 'root_version_destroyed')
  expect((await stale.wrap(PLAINTEXT, { aad: AAD })).rootVersion.number).toBe(2)
  expect(await stale.destroyVersion(1)).toEqual(answer)

  await stale.createVersion(3)
  const fresh = await open(file)
  for (const provider of [stale, fresh]) {
    expect((await provider.versions()).map(({ state }) => state)).toEqual(['destroyed', 'live', 'live'])
    await refused(provider.unwrap(wrapped, { aad: AAD }), 'root_version_destroyed')
  }
  expect(Buffer.from((await readDocument(file)).sealed, 'base64url'), 'two root keys').toHaveLength(24 + 2 * 32 + 16)
})

test('a stale process whose first call is a change does not bring it back either', async () => {
  const file = await newPath()
  await createLocalKeyFile({ file, rawKey: RAW_KEY })
  const stale = await open(file)
  await message(startWorker('rotate', file))
  await refused(stale.createVersion(2), 'conflict')
  await stale.createVersion(3)
  expect((await readDocument(file)).versions.map(({ state }) => state)).toEqual(['destroyed', 'live', 'live'])
})

test('of eight processes that make the file at once, one does, and its file is whole', async () => {
  const file = await newPath()
  const workers = Array.from({ length: 8 }, () => startWorker('create', file))
  await Promise.all(workers.map((worker) => message(worker)))
  const answers = workers.map(async (worker) => {
    const answer = message(worker)
    worker.send('go')
    return { pid: worker.pid, answer: await answer }
  })
  const all = await Promise.all(answers)
  const winners = all.filter(({ answer }) => answer === 'made')
  expect(winners).toHaveLength(1)
  expect(all.filter(({ answer }) => answer === 'already_exists')).toHaveLength(7)
  expect((await open(file)).region).toBe(`made-by-${winners[0]?.pid}`)
})
