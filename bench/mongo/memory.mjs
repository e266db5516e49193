// Memory while a cursor is read: in a process of its own, where garbage can be collected on request.
import { fileURLToPath } from 'node:url'

import { run } from '../../scripts/pnpm.mjs'

const WORKER = fileURLToPath(new URL('memory-worker.mjs', import.meta.url))

/** @returns `{ documents, subjects, firstHalf, secondHalf }`, the last two in MiB */
export async function cursorMemory(uri) {
  return JSON.parse(run(process.execPath, ['--expose-gc', WORKER, uri], fileURLToPath(new URL('.', import.meta.url))))
}
