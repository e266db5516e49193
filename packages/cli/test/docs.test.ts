// Every command in the documents, run as it is written there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { field, openVault, type VaultOptions } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { FUNCTION, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { emptyFolder, PASSPHRASE, quick, QUICK_CONFIGURATION, quickRootKey, writePrivate } from './support/vault-folder.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const documentsIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
// All of them, so that a new one is not forgotten.
const DOCUMENTS = [
  ...['.', 'docs', 'bench'].flatMap(documentsIn),
  ...['packages', 'examples'].flatMap((folder) => readdirSync(join(ROOT, folder)).flatMap((name) => documentsIn(join(folder, name)))),
]

const text = (document: string): string => readFileSync(join(ROOT, document), 'utf8')

function blocks(document: string, language: string): readonly string[] {
  return [...text(document).matchAll(/```(\w*)\n([\s\S]*?)```/g)]
    .filter(([, name]) => name === language)
    .map(([, , block]) => block as string)
}

const isOurs = (block: string): boolean => /(?:^|[\s(])strongroom /.test(block)
const running = DOCUMENTS.filter((document) => blocks(document, 'sh').some(isOurs))

/** Runs a block in a terminal, typing what a person would: the passphrase, and yes. */
async function type(block: string, folder: string): Promise<void> {
  const terminal = new Terminal(`set -e -o pipefail\n${FUNCTION}\n${block}`, folder, {
    columns: 160,
    rows: 200,
    environment: { NO_COLOR: '1' },
  })
  for (let answered = 0; !terminal.hasEnded; await new Promise((resolve) => setTimeout(resolve, 10))) {
    // A question is what a line ends with that has no end.
    const asked = /(?:passphrase[^\n:]*|Type "([^"]*)" to go on): $/i.exec(terminal.raw.slice(answered))
    if (asked === null) continue
    answered = terminal.raw.length
    terminal.type(`${asked[1] ?? PASSPHRASE}\r`)
  }
  expect([await terminal.ended, block, await terminal.lines()]).toEqual([0, block, expect.anything()])
}

async function addTenant(folder: string, opening: { readonly passphrase: string } | { readonly rawKey: Uint8Array }): Promise<void> {
  const options: VaultOptions = {
    keyProviders: { eu: await localKeyProvider({ file: join(folder, 'root.key'), ...opening }) },
    defaultRegion: 'eu',
    ...localStores({ directory: join(folder, 'vault') }),
  }
  const vault = await openVault(options)
  await vault.tenants.create('acme')
  await vault
    .tenant('acme')
    .subject('alice')
    .encrypt(field('users', 'email', z.string()), 'ada@example.com')
  await vault.close()
}

describe('every command', () => {
  test.each(running)('%s', async (document) => {
    const folder = emptyFolder()
    const shown = [...blocks(document, 'ts'), ...blocks(document, 'js')].flatMap((source) => {
      const name = /^\/\/ (\S+\.(?:ts|mjs))\n/.exec(source)?.[1]
      return name === undefined ? [] : [[name, source] as const]
    })
    const commands = blocks(document, 'sh').filter(isOurs)
    const isMadeHere = commands.some((block) => block.includes('strongroom init'))
    for (const [name, source] of [['strongroom.config.ts', QUICK_CONFIGURATION] as const, ...shown])
      // The default, a minute, is what each rotation would wait.
      writeFileSync(
        join(folder, name),
        (isMadeHere ? source : quick(source)).replace("defaultRegion: 'eu',", "defaultRegion: 'eu',\n  cacheBound: 100,"),
      )
    writePrivate(join(folder, 'passphrase'), `${PASSPHRASE}\n`)

    if (!isMadeHere) {
      await quickRootKey(folder)
      expect((await strongroom(folder, ['init', '--passphrase-file', 'passphrase'])).code).toBe(0)
      await addTenant(folder, { rawKey: createHash('sha256').update(PASSPHRASE).digest() })
    }
    for (const block of commands) {
      await type(block, folder)
      if (block.includes('strongroom init')) await addTenant(folder, { passphrase: PASSPHRASE })
    }
  })

  test('the status in the README is that of a new vault', async () => {
    const shown = /```\n(vault {10}[\s\S]*?)```/.exec(text('packages/cli/README.md'))?.[1]
    const folder = emptyFolder()
    writeFileSync(join(folder, 'strongroom.config.ts'), QUICK_CONFIGURATION)
    writePrivate(join(folder, 'passphrase'), `${PASSPHRASE}\n`)
    await quickRootKey(folder)
    for (const command of ['init', 'status']) {
      const { code, stdout } = await strongroom(folder, [command, '--passphrase-file', 'passphrase'])
      expect(code).toBe(0)
      if (command === 'status') expect(stdout.replaceAll(/\d{4}-\d\d-\d\d/g, '2030-01-01')).toBe(shown)
    }
  })

  test('the line for cron, by its shell: not a word if all is well; the error alone if not', async () => {
    const line = /^15 3 \* \* 0 (cd \/srv\/vault .*)$/m.exec(text('packages/cli/README.md'))?.[1]
    const folder = emptyFolder()
    writeFileSync(join(folder, 'strongroom.config.ts'), QUICK_CONFIGURATION)
    writePrivate(join(folder, 'passphrase'), `${PASSPHRASE}\n`)
    await quickRootKey(folder)
    expect((await strongroom(folder, ['init', '--passphrase-file', 'passphrase'])).code).toBe(0)
    const command = line?.replace('/srv/vault', folder).replace('/usr/bin/node', process.execPath) ?? 'false'
    const run = () => spawnSync('/bin/sh', ['-c', command], { env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' })
    expect(run()).toMatchObject({ status: 0, stdout: '', stderr: '' })
    writePrivate(join(folder, 'passphrase'), 'another\n')
    expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^strongroom: [a-z_]+: [^\n]+\n$/) })
  })

  test('there are some to run', () => {
    expect(running).toContain('README.md')
    expect(running).toContain('packages/cli/README.md')
    expect(running).toContain('docs/rotation-runbook.md')
    expect(running).toContain('docs/restore-runbook.md')
  })
})

describe('commands that are named in a sentence or a table exist', () => {
  const named = [
    ...new Set(
      DOCUMENTS.flatMap((document) =>
        [...text(document).matchAll(/`strongroom ([a-z][a-z-]*(?: (?:root|tenant|subject|item|bash|zsh|fish))?)/g)].map(
          ([, name]) => name as string,
        ),
      ),
    ),
  ]

  test('as the help lists them', async () => {
    const [top, rotate, shred] = [await helpOf([]), await helpOf(['rotate']), await helpOf(['shred'])]
    for (const name of named) {
      const [command = '', beneath] = name.split(' ')
      expect(top).toContain(command)
      if (command === 'rotate') expect([undefined, ...rotate]).toContain(beneath)
      if (command === 'shred') expect([undefined, ...shred]).toContain(beneath)
    }
    expect(named.length).toBeGreaterThan(8)
  })

  test('and the README of the command has them all', async () => {
    for (const name of await helpOf([])) expect(text('packages/cli/README.md')).toContain(`| \`strongroom ${name}`)
  })
})

/** The names of the commands that the help lists. */
async function helpOf(args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await strongroom(emptyFolder(), [...args, '--help'])
  const list = stdout.slice(stdout.indexOf('Commands:')).split('\n\n')[0] ?? ''
  return [...list.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name as string).filter((name) => name !== 'help')
}
