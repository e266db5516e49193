// What grows with what: calls of the key provider and of the key store, counted.
import { field } from '@strongroom/core'
import { z } from 'zod'

const SUBJECTS = 1000
const ENCRYPTS = 10_000

/** 10,000 encrypts over 1,000 subjects of one tenant, written and then read by a process that starts cold. */
export async function calls(open, counts) {
  const email = field('users', 'email', z.string())
  const writer = await open()
  const stored = []
  const write = await counted(counts, async () => {
    const tenant = writer.tenant('bench')
    for (let i = 0; i < ENCRYPTS; i += SUBJECTS) {
      stored.push(
        ...(await Promise.all(Array.from({ length: SUBJECTS }, (_, s) => tenant.subject(`s${s}`).encrypt(email, `${i + s}@example.com`)))),
      )
    }
  })
  await writer.close()
  const reader = await open()
  const read = await counted(counts, async () => {
    const tenant = reader.tenant('bench')
    for (let i = 0; i < ENCRYPTS; i += SUBJECTS) {
      await Promise.all(stored.slice(i, i + SUBJECTS).map((value, s) => tenant.subject(`s${s}`).decrypt(email, value)))
    }
  })
  await reader.close()
  return { subjects: SUBJECTS, encrypts: ENCRYPTS, write, read }
}

async function counted(counts, work) {
  const before = counts()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const after = counts()
  return { seconds, ...Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name]])) }
}
