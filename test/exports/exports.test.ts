// The public names of every package against a committed list: what is added, renamed or removed is seen, and said in a changeset.
// After a change that is meant: npx vitest run test/exports -u
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url))
const NAMED = /export (type )?\{([^}]*)\}(?: from '[^']+')?;?/g

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly bin?: string | Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

const folders = readdirSync(PACKAGES)
  .map((name) => join(PACKAGES, name))
  .filter((folder) => existsSync(join(folder, 'package.json')))
const lists = fileURLToPath(new URL('.', import.meta.url))
const listOf = (folder: string): string => join(lists, `${basename(folder)}.txt`)

test.each(folders.map((folder) => [basename(folder), folder]))('%s', async (_, folder) => {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const bin = typeof manifest.bin === 'string' ? [manifest.name] : Object.keys(manifest.bin ?? {})
  const lines = bin.map((name) => `program ${name}`)
  for (const [path, target] of Object.entries(manifest.exports ?? {})) {
    lines.push(path)
    if (typeof target !== 'string') lines.push(...(await namesOf(join(folder, target.types), join(folder, target.default))))
  }

  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(listOf(folder))
})

test('every list is of a package', () => {
  const found = readdirSync(lists).filter((name) => name.endsWith('.txt'))

  expect(found).toEqual(folders.map((folder) => basename(listOf(folder))))
})

/** The names of an entry point, types as its declarations have them and values as they are when it is loaded, which must be the same. */
async function namesOf(declarations: string, code: string): Promise<readonly string[]> {
  const text = readFileSync(declarations, 'utf8')
  const rest = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').replaceAll(NAMED, '')
  if (rest.trim() !== '') throw new Error(`${declarations} holds more than named exports: ${rest.trim().slice(0, 100)}`)
  const names = [...text.matchAll(NAMED)].flatMap(([, type, list]) =>
    (list as string)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => ({
        name: item
          .replace(/^type /, '')
          .split(' as ')
          .at(-1) as string,
        type: type !== undefined || item.startsWith('type '),
      })),
  )
  const values = names.filter(({ type }) => !type).map(({ name }) => name)
  const loaded = Object.keys((await import(code)) as object)

  expect(loaded.toSorted()).toEqual(values.toSorted())
  return names.map(({ name, type }) => `  ${type ? 'type' : 'value'} ${name}`).toSorted()
}
