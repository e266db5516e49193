/** An environment that is made by the first write: whoever only reads leaves nothing behind in a folder that was named by mistake. */

import { statSync } from 'node:fs'
import { join } from 'node:path'

import type { StrongroomError } from '@strongroom/core'

import type { Environment, Snapshot } from './environment.ts'

const NOTHING: Snapshot = { get: () => undefined, keys: () => [] }

/**
 * Opens at once what is there.
 *
 * @param open - opens the environment of the folder, and makes it where there is none
 */
export function lazyEnvironment(folder: string, open: () => Environment, unavailable: (cause: unknown) => StrongroomError): Environment {
  let environment: Environment | undefined
  let isClosed = false
  const make = (): Environment => {
    if (isClosed && environment === undefined) throw unavailable(new Error('the store was closed'))
    return (environment ??= open())
  }
  // Another process may have made it meanwhile.
  const found = (): Environment | undefined => (isClosed || environment !== undefined || isThere() ? make() : undefined)
  // What cannot be looked at is not nothing.
  const isThere = (): boolean => {
    try {
      statSync(join(folder, 'data.mdb'))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw unavailable(error)
    }
  }
  found()
  return {
    async read(body) {
      const there = found()
      return there === undefined ? body(NOTHING) : there.read(body)
    },
    write: async (body) => make().write(body),
    copy: async (to) => make().copy(to),
    async close() {
      isClosed = true
      await environment?.close()
    },
  }
}
