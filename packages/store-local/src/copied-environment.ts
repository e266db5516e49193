/** The environment in a copy, which nobody writes: it is only read, and nothing is made or changed in its folder. */

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { StrongroomError } from '@strongroom/core'
import type { RootDatabase } from 'lmdb'

import { checkCopiedFile } from './check-files.ts'
import { type Environment, openDatabase, snapshotOn } from './environment.ts'

/** Opens the environment in the folder of a copy. Throws what the system or LMDB throws. */
export function openCopiedEnvironment(
  folder: string,
  unavailable: (cause: unknown) => StrongroomError,
): Pick<Environment, 'read' | 'write' | 'close'> {
  const database = openBeside(folder)
  const snapshot = snapshotOn(database)
  let isClosed = false
  return {
    async read(body) {
      if (isClosed) throw unavailable(new Error('the copy was closed'))
      try {
        return body(snapshot)
      } catch (error) {
        throw error instanceof StrongroomError ? error : unavailable(error)
      }
    },
    write: () => Promise.reject(unavailable(new Error('a copy is only read'))),
    async close() {
      if (isClosed) return
      isClosed = true
      await database.close()
    },
  }
}

// LMDB makes its lock file where it finds the data, and lmdb-js has no option against it. So it finds a link to them, in a folder that is gone
// once they are open: nobody else reads by that lock, and nobody writes.
function openBeside(folder: string): RootDatabase<Uint8Array, Uint8Array> {
  const data = join(folder, 'data.mdb')
  checkCopiedFile(data)
  const beside = mkdtempSync(join(tmpdir(), 'strongroom-copy-'))
  try {
    symlinkSync(data, join(beside, 'data.mdb'))
    return openDatabase(beside, { readOnly: true, mapSize: 2 ** 20 })
  } finally {
    rmSync(beside, { recursive: true })
  }
}
