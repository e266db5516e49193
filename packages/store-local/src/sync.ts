/** Waits until something is on the disk. */

import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** What is in a file. */
export function syncFile(file: string): void {
  sync(file, 'r+')
}

/** The names in a folder, and its own and those of the folders above it, up to the names in `top`. */
export function syncFolders(folder: string, top: string): void {
  // Windows has no such call.
  if (process.platform === 'win32') return
  sync(folder, 'r')
  if (folder.length > top.length) syncFolders(dirname(folder), top)
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const descriptor = openSync(path, flags)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
