// Storage that is of no use before it was set up: `initVault` sets it up, before it reads or writes anything.
import { initVault, openVault, repairLedger, StrongroomError } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { expect, test } from 'vitest'

/** A store whose every call is noted by the method's name. */
function noted<T extends object>(name: string, store: T, notes: string[], prepare: () => Promise<void> = async () => undefined): T {
  return new Proxy(store, {
    get(target, property, receiver) {
      const value: unknown = property === 'prepare' ? prepare : Reflect.get(target, property, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        notes.push(`${name}.${String(property)}`)
        return (value as (...given: unknown[]) => unknown)(...args)
      }
    },
  })
}

function ground(prepare?: () => Promise<void>) {
  const notes: string[] = []
  const options = {
    keyProviders: { eu: memoryKeyProvider() },
    defaultRegion: 'eu',
    keyStore: noted('keys', memoryKeyStore(), notes, prepare),
    stateStore: noted('state', memoryStateStore(), notes),
  }
  return { notes, options }
}

test('initVault prepares both stores first, openVault neither', async () => {
  const { notes, options } = ground()
  await initVault(options)
  expect(notes.slice(0, 3)).toEqual(['keys.prepare', 'state.prepare', 'keys.get'])
  notes.length = 0
  await (await openVault(options)).close()
  expect(notes.filter((note) => note.endsWith('prepare'))).toEqual([])
})

test('repairLedger prepares the state store, which may be another one', async () => {
  const { notes, options } = ground()
  await initVault(options)
  notes.length = 0
  expect(await repairLedger({ ...options, stateStore: noted('other', memoryStateStore(), notes) })).toEqual({ rebuilt: 1 })
  expect(notes[0]).toBe('other.prepare')
})

test('a store that cannot be prepared is unavailable, and nothing was written', async () => {
  const { notes, options } = ground(() => Promise.reject(new Error('no permission')))
  const refusal: unknown = await initVault(options).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(StrongroomError)
  expect(refusal).toMatchObject({ code: 'key_store_unavailable', cause: { message: 'no permission' } })
  expect(notes).toEqual(['keys.prepare'])
})
