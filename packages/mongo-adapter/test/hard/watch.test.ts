// Whoever follows the changes is killed at random instants, and goes on behind the last change that was dealt with: each comes once, in order.
import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { uri } from '../support.ts'
import type { Letters } from './letters.mjs'
import { type LettersWorld, makeLetters, type SaidChange, Worker } from './letters-world.ts'

const KILLS = Number(process.env['STRONGROOM_KILLS'] ?? 4)
const EDITS = 60 * (KILLS + 1)
const LETTERS = 12

describe.skipIf(uri === undefined)('on a server', () => {
  let world: LettersWorld
  let opened: Letters
  beforeAll(async () => {
    world = await makeLetters()
    opened = world.opened
  })
  afterAll(() => world.remove())

  test('nothing is lost and nothing comes twice, whoever is shredded in between', async () => {
    const who = (id: number): string => ['ada', 'bob', 'eve'][id % 3] as string
    await opened.letters.insertMany(
      Array.from({ length: LETTERS }, (_, _id) => ({ _id, orgId: 'acme', who: who(_id), title: `title ${_id}`, pages: [] })),
    )
    const written: (readonly [number, string])[] = []
    const edits = async (): Promise<void> => {
      for (let i = 0; i < EDITS; i++) {
        const id = (i * 5) % LETTERS
        if (i === EDITS / 2) await opened.vault.tenant('acme').subject('bob').shred()
        // Nobody writes to her any more.
        if (i >= EDITS / 2 && who(id) === 'bob') continue
        await opened.letters.updateOne({ _id: id, orgId: 'acme', who: who(id) }, { $set: { title: `edit ${i}` } })
        written.push([id, `edit ${i}`])
        await pause(5)
      }
    }

    const come: SaidChange[] = []
    let after: unknown
    let editing: Promise<void> | undefined
    let died = 0
    for (let run = 0; run <= KILLS; run++) {
      const worker = new Worker('watch', { where: world.where, after })
      const until = Date.now() + 300 + Math.random() * 900
      const last = run === KILLS
      let ready = false
      for (;;) {
        const said = await (ready && !last ? Promise.race([worker.next(), pause(Math.max(0, until - Date.now()))]) : worker.next())
        if (said === undefined) break
        if (said.change !== undefined) {
          if (said.change.operation === 'update') come.push(said.change)
          after = said.change.token
        } else {
          ready = true
          after ??= said.token
          editing ??= edits()
        }
        if (last && ready && come.length > 0) {
          await editing
          if (come.length === written.length) break
        }
      }
      worker.kill()
      if ((await worker.ended) === 'SIGKILL') died++
    }
    console.log(`${died} ended by a kill, ${written.length} edits`)
    expect(come.map(({ operation, id }) => [operation, id])).toEqual(written.map(([id]) => ['update', id]))
    for (const [i, { id, title }] of come.entries())
      if (title !== '[shredded]') expect(title).toBe(written[i]?.[1])
      else expect(who(id)).toBe('bob')
  })
})
