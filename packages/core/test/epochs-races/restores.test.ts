// A rotation whose key store or root key file is put back from an older copy.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'

import { ACME, bob, endProcesses, Fleet, type OpenHow, outcome, stopAt } from './support.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.make()
})
afterEach(() => fleet.remove())
afterAll(endProcesses)

const late = { tenant: ACME, subject: 'late' }

describe('the key store, from before the rotation', () => {
  let copy: OpenHow
  beforeEach(async () => {
    copy = await fleet.copy()
  })

  test.each([
    'root.created',
    'root.announced',
    'wrap.stored',
    'wrapping-key.stored',
    'move.begun',
    'move.waited',
    'move.rewrapped',
    'move.rescanned',
    'move.retired',
    'epoch.marked',
  ])('put back at %s: the rotation is run again, to the same version', async (point) => {
    await stopAt(await fleet.process(), point, 'rotateRoot')
    await fleet.restoreKeys(copy)
    await fleet.check()
    const operator = await fleet.process()
    await fleet.rotate(operator)
    await fleet.expectMoved(operator)
    const { rootVersions } = await fleet.state(operator)
    expect(rootVersions.map(({ number }) => number)).toEqual([1, 2])
    await fleet.close(operator)
    await fleet.check()
  })

  test('put back while an epoch closes: what was shredded stays so, the rotation is run again', async () => {
    const [shredder, operator] = await fleet.processes(2)
    await fleet.rotate(operator)
    await fleet.shred(shredder, bob)
    await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await fleet.restoreKeys(copy)
    await fleet.check()
    const again = await fleet.process()
    // There is no word of a rotation in it.
    expect(await outcome(again.run('closeEpoch'))).toBe('epoch_blocked')
    await fleet.rotate(again)
    await fleet.close(again)
    await fleet.check()
  })

  test('put back after the epoch was closed: it opens nothing', async () => {
    const operator = await fleet.process()
    await fleet.rotate(operator)
    await fleet.close(operator)
    await fleet.restoreKeys(copy)
    await expect(fleet.process()).rejects.toMatchObject({ code: 'root_version_destroyed' })
  })
})

describe('the root key file, from before the rotation', () => {
  const refusals = ['wrong_root_key', 'root_key_file_invalid']
  let older: string
  beforeEach(async () => {
    older = join(fleet.folder.path, 'older.key')
    await cp(fleet.rootFile, older)
  })

  /** Has the older file in its place while `work` runs. */
  async function withOlderFile(work: () => Promise<void>): Promise<void> {
    const newest = join(fleet.folder.path, 'newest.key')
    await cp(fleet.rootFile, newest)
    await cp(older, fleet.rootFile)
    await work()
    await cp(newest, fleet.rootFile)
  }

  test.each(['root.announced', 'wrap.stored', 'move.begun', 'move.rewrapped', 'move.retired'])(
    'put back at %s: refused by all, until the newest is back',
    async (point) => {
      const [operator, other] = await fleet.processes(2)
      const rotating = await stopAt(operator, point, 'rotateRoot')
      await withOlderFile(async () => {
        const another = await fleet.process()
        for (const process of [other, another]) {
          expect(refusals).toContain(await outcome(process.run('rotateRoot')))
          expect(refusals).toContain(await outcome(process.run('shred', { place: bob })))
          // No rotation has ended.
          expect(await outcome(process.run('closeEpoch'))).toBe('epoch_blocked')
          expect((await fleet.state(process)).rootVersions).toEqual([{ number: 1, state: 'live' }])
        }
        expect([...refusals, 'ok']).toContain(await outcome(rotating.finish()))
        expect((await fleet.state(another)).rootVersions).toEqual([{ number: 1, state: 'live' }])
      })
      const again = await fleet.process()
      await fleet.rotate(again)
      await fleet.close(again)
      await fleet.check()
      expect((await fleet.state(again)).rootVersions.map(({ number }) => number).slice(0, 2)).toEqual([1, 2])
    },
  )

  test('put back after the rotation: refused by all, until the newest is back', async () => {
    const [operator, other] = await fleet.processes(2)
    await fleet.rotate(operator)
    await withOlderFile(async () => {
      for (const process of [operator, other, await fleet.process()]) {
        for (const task of ['rotateRoot', 'closeEpoch']) expect(refusals).toContain(await outcome(process.run(task)))
        expect(refusals).toContain(await outcome(process.run('shred', { place: bob })))
      }
      const reader = await fleet.process()
      expect((await fleet.state(reader)).rootVersions).toEqual([{ number: 1, state: 'live' }])
    })
    await fleet.shred(other, bob)
    await fleet.close(operator)
    await fleet.check()
  })

  test('put back while the epoch closes: nothing is destroyed by it', async () => {
    const operator = await fleet.process()
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await withOlderFile(async () => {
      expect(refusals).toContain(await outcome(closing.finish()))
    })
    const again = await fleet.process()
    await fleet.close(again)
    await fleet.check()
  })

  test('put back after the epoch was closed: refused, and the destroyed version is not the newest again', async () => {
    const operator = await fleet.process()
    await fleet.rotate(operator)
    await fleet.close(operator)
    await withOlderFile(async () => {
      const process = await fleet.process()
      for (const task of ['rotateRoot', 'closeEpoch']) expect(refusals).toContain(await outcome(process.run(task)))
      expect(refusals).toContain(await outcome(process.run('shred', { place: bob })))
      expect(refusals).toContain(await outcome(process.run('create', { tenant: 'initech' })))
    })
    const again = await fleet.process()
    await fleet.store(again, late)
    await fleet.rotate(again)
    await fleet.close(again)
    await fleet.check()
  })

  test('put back when the provider had rotated by itself, and a tenant was wrapped by that: refused, until the newest is back', async () => {
    const process = await fleet.process()
    await process.run('rotateItself')
    await process.run('create', { tenant: 'initech' })
    await fleet.store(process, { tenant: 'initech', subject: 'someone' })
    await withOlderFile(async () => {
      const another = await fleet.process()
      expect(refusals).toContain(await outcome(another.run('rotateRoot')))
      expect(refusals).toContain(await outcome(another.run('shred', { place: bob })))
    })
    await fleet.rotate(process)
    await fleet.close(process)
    await fleet.check()
  })

  test('put back when only a shred knows of the new version: its number is not given to another', async () => {
    const [operator, shredder] = await fleet.processes(2)
    await stopAt(operator, 'root.created', 'rotateRoot')
    expect((await fleet.shred(shredder, bob)).rootVersion).toBe(2)
    await fleet.end()
    const newest = join(fleet.folder.path, 'newest.key')
    await cp(fleet.rootFile, newest)
    await cp(older, fleet.rootFile)
    const process = await fleet.process()
    const said = await outcome(process.run('rotateRoot'))
    if (said !== 'ok') {
      expect(refusals).toContain(said)
      await cp(newest, fleet.rootFile)
      await fleet.rotate(process)
    }
    await fleet.close(process)
    await fleet.check()
  })
})
