/** Looks at files before LMDB does: lmdb-js 3.5 ends the process, rather than throw, when it cannot open an environment. */

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

// LMDB's mdb.c, `MDB_page` and `MDB_meta`: two meta pages at the start, in the byte order of the machine.
const FLAGS_AT = 18
const MAGIC_AT = 24
const VERSION_AT = 28
const PAGE_SIZE_AT = 48
const HEADER = 168
const META_PAGE = 0x08
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2

/** Throws, with the cause as the system gives it, unless the folder holds an LMDB environment or can get one. */
export function checkFiles(folder: string): void {
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  const data = join(folder, 'data.mdb')
  if (checkFile(data) > 0) checkHeader(data)
  checkFile(join(folder, 'lock.mdb'))
}

/** Throws, with the cause as the system gives it, unless the file is an LMDB file that can be read. */
export function checkCopiedFile(data: string): void {
  if (!statSync(data).isFile()) throw notAFile(data)
  accessSync(data, constants.R_OK)
  checkHeader(data)
}

// Its length; 0 if there is none. The lock file must not be opened here: closing it would drop the locks of this process.
function checkFile(file: string): number {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return 0
  if (!stats.isFile()) throw notAFile(file)
  accessSync(file, constants.R_OK | constants.W_OK)
  return stats.size
}

function notAFile(path: string): Error {
  return new Error(`${path} is not a file`)
}

function checkHeader(data: string): void {
  if (!hasHeader(data)) throw new Error(`${data} is not an LMDB file of version ${DATA_VERSION}`)
}

function hasHeader(file: string): boolean {
  const descriptor = openSync(file, 'r')
  try {
    const pageSize = pageSizeAt(descriptor, 0)
    return pageSize !== undefined && pageSizeAt(descriptor, pageSize) === pageSize
  } finally {
    closeSync(descriptor)
  }
}

// What the meta page at a position says; `undefined` if there is none.
function pageSizeAt(descriptor: number, position: number): number | undefined {
  const bytes = new Uint8Array(HEADER)
  if (readSync(descriptor, bytes, 0, HEADER, position) < HEADER) return undefined
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  const view = new DataView(bytes.buffer)
  const isMeta =
    (view.getUint16(FLAGS_AT, littleEndian) & META_PAGE) !== 0 &&
    view.getUint32(MAGIC_AT, littleEndian) === MAGIC &&
    (view.getUint32(VERSION_AT, littleEndian) & 0xffff) === DATA_VERSION
  return isMeta ? view.getUint32(PAGE_SIZE_AT, littleEndian) : undefined
}
