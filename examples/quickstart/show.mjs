// How the quickstart shows what it found, and counts what it did not expect.
import { rmSync } from 'node:fs'
import { cp, mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let failed = 0

export const failures = () => failed

export function say(what, text) {
  console.log(`${what.padEnd(8)} ${text}`)
}

/** A folder that is removed when the program ends, however it ends. */
export async function temporaryFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-quickstart-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const copyFolder = (from, to) => cp(from, to, { recursive: true })

/** Calls, and expects this value. */
export async function expectOpen(what, call, expected) {
  const found = await call().catch((error) => error.code ?? error)
  report(what, found === expected, found === expected ? `reads ${found}` : `gave ${found}`)
}

/** Calls, and expects an error with this code. */
export async function expectRefused(what, call, code) {
  const found = await call().then(
    () => 'a value',
    (error) => error.code ?? String(error),
  )
  report(what, found === code, found === code ? `refused: ${found}` : `gave ${found}, not ${code}`)
}

/** Searches the row and every file of the vault for secrets in the forms they could have: an attacker with the database. */
export async function filesHolding(folder, row, secrets) {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const haystacks = [Buffer.from(JSON.stringify(row))]
  for (const file of files) if (file.isFile()) haystacks.push(await readFile(join(file.parentPath ?? file.path, file.name)))
  const needles = secrets.flatMap((secret) => ['utf8', 'utf16le'].map((encoding) => Buffer.from(secret, encoding)))
  const encoded = secrets.flatMap((secret) =>
    ['hex', 'base64'].map((encoding) => Buffer.from(Buffer.from(secret).toString(encoding).replace(/=+$/, ''))),
  )
  const found = haystacks.filter((haystack) => [...needles, ...encoded].some((needle) => haystack.includes(needle))).length
  const bytes = haystacks.reduce((sum, haystack) => sum + haystack.length, 0)
  report(`plaintext found in the row and ${haystacks.length - 1} files, ${bytes} bytes`, found === 0, found === 0 ? 'none' : `in ${found}`)
}

function report(what, right, text) {
  if (!right) failed++
  say(right ? 'ok' : 'FAILED', `${what}: ${text}`)
}
