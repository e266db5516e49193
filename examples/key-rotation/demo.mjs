// Runs rotate.mjs twice over a vault in a temporary folder, as a schedule would. Exit code 1 if a shred still waits for something after it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { makeVault } from './make-vault.mjs'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-key-rotation-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const { environment, withVault } = await makeVault(folder)

for (const run of ['first', 'second']) {
  console.log(`--- ${run} run`)
  const env = { ...process.env, ...environment }
  execFileSync(process.execPath, [fileURLToPath(new URL('rotate.mjs', import.meta.url))], { env, stdio: 'inherit' })
}

const [{ shreds, rootVersions }] = (await withVault((vault) => vault.status())).regions
console.log(`--- root versions: ${rootVersions.map(({ number, state }) => `${number} ${state}`).join(', ')}`)
process.exitCode = shreds.waiting.count === 0 && shreds.awaiting.count === 1 ? 0 : 1
