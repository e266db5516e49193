// Making a vault: once, with its root key file or without, and over nothing that is there.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { FUNCTION, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { emptyFolder, PASSPHRASE, PASSPHRASE_CONFIGURATION, writePrivate } from './support/vault-folder.ts'

test('in a terminal: with the configuration that the command itself shows, and a passphrase typed twice', async () => {
  const folder = emptyFolder()
  const { stderr } = await strongroom(folder, ['init'])
  writeFileSync(join(folder, 'strongroom.config.ts'), stderr.slice(stderr.indexOf('\n\n') + 2))
  const first = new Terminal(`${FUNCTION}; strongroom init --root-key root.key --region eu`, folder)
  await first.answer(/New passphrase/, `${PASSPHRASE}\r`)
  await first.answer(/New passphrase, again/, 'something else\r')
  expect(await first.ended).toBe(64)
  expect((await first.lines()).join('\n')).toContain('passphrase_unusable: the two passphrases differ; nothing was made')
  expect(existsSync(join(folder, 'root.key'))).toBe(false)

  const second = new Terminal(`${FUNCTION}; strongroom init --root-key root.key --region eu`, folder)
  await second.answer(/New passphrase/, `${PASSPHRASE}\r`)
  await second.answer(/New passphrase, again/, `${PASSPHRASE}\r`)
  expect(await second.ended).toBe(0)
  expect((await second.lines()).join('\n')).toMatch(
    /root key file root\.key is made: .*\n?.*\n.*the vault is made, with its home in region eu/,
  )
  expect(readFileSync(join(folder, 'root.key'), 'utf8')).toContain('"region": "eu"')

  const status = new Terminal(`${FUNCTION}; strongroom status`, folder)
  await status.answer(/Passphrase/, `${PASSPHRASE}\r`)
  expect(await status.ended).toBe(0)
})

test('nothing is replaced', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'strongroom.config.ts'), PASSPHRASE_CONFIGURATION)
  writePrivate(join(folder, 'passphrase'), PASSPHRASE)
  const init = (...args: readonly string[]) => strongroom(folder, ['init', '--passphrase-file', 'passphrase', ...args])
  const missing = await init()
  expect(missing.code).toBe(1)
  expect(missing.stderr).toMatch(/^strongroom: root_key_file_invalid: .*; next: .*strongroom init --root-key FILE/)
  expect((await init('--root-key', 'root.key')).code).toBe(0)
  const before = readFileSync(join(folder, 'root.key'))
  for (const [args, said] of [
    [[], /^strongroom: already_exists: [^\n]*; next: strongroom status shows what is there, and strongroom holds which holds stand\n$/],
    [['--root-key', 'root.key'], /^strongroom: file_unusable: [^\n]*root\.key is there already, and a root key file is never replaced; /],
    [['--root-key', 'strongroom.config.ts'], /^strongroom: file_unusable: /],
  ] as const) {
    const { code, stderr } = await init(...args)
    expect([args, code]).toEqual([args, 1])
    expect(stderr).toMatch(said)
  }
  expect(readFileSync(join(folder, 'root.key'))).toEqual(before)
  expect(readFileSync(join(folder, 'strongroom.config.ts'), 'utf8')).toBe(PASSPHRASE_CONFIGURATION)
})

test('a vault that is not there: the error says what makes one', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'strongroom.config.ts'), PASSPHRASE_CONFIGURATION)
  writePrivate(join(folder, 'passphrase'), PASSPHRASE)
  expect((await strongroom(folder, ['init', '--passphrase-file', 'passphrase', '--root-key', 'root.key'])).code).toBe(0)
  writeFileSync(join(folder, 'other.ts'), PASSPHRASE_CONFIGURATION.replace("'vault'", "'other'"))
  const { code, stderr } = await strongroom(folder, ['status', '--config', 'other.ts', '--passphrase-file', 'passphrase'])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^strongroom: vault_not_initialised: [^\n]*; next: [^\n]*the right one, and mounted; [^\n]*once: strongroom init\n$/,
  )
})

test('a configuration that opens the vault itself: init says what it needs instead', async () => {
  const folder = emptyFolder()
  writeFileSync(
    join(folder, 'strongroom.config.ts'),
    PASSPHRASE_CONFIGURATION.replace('async ({ passphrase }) => ({', 'async ({ passphrase }) => openVault({').replace(
      "from '@strongroom/cli'",
      "from '@strongroom/cli'\nimport { openVault } from '@strongroom/core'",
    ),
  )
  writePrivate(join(folder, 'passphrase'), PASSPHRASE)
  const { code, stderr } = await strongroom(folder, ['init', '--passphrase-file', 'passphrase', '--root-key', 'root.key'])
  expect(code).toBe(64)
  expect(stderr).toMatch(/^strongroom: config_invalid: init needs the options of the vault/)
  writeFileSync(join(folder, 'init.ts'), PASSPHRASE_CONFIGURATION)
  expect(
    (await strongroom(folder, ['init', '--passphrase-file', 'passphrase', '--config', 'init.ts', '--root-key', 'root.key'])).code,
  ).toBe(0)
  expect((await strongroom(folder, ['status', '--passphrase-file', 'passphrase'])).code).toBe(0)
  const again = await strongroom(folder, ['init', '--passphrase-file', 'passphrase'])
  expect([again.code, again.stderr]).toEqual([
    1,
    'strongroom: already_exists: the configuration opened a vault, so there is one already; next: strongroom status shows what is there, and strongroom holds which holds stand\n',
  ])
})

test('--region that the configuration does not have: said, and nothing is made', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'strongroom.config.ts'), PASSPHRASE_CONFIGURATION)
  writePrivate(join(folder, 'passphrase'), PASSPHRASE)
  const args = ['init', '--passphrase-file', 'passphrase', '--root-key', 'root.key', '--region', 'us']
  const { code, stderr } = await strongroom(folder, args)
  expect([code, stderr]).toEqual([
    64,
    'strongroom: config_invalid: --region us is none of the regions in keyProviders of the configuration (eu); nothing was made\n',
  ])
  expect(['root.key', 'vault'].filter((name) => existsSync(join(folder, name)))).toEqual([])
})

test('--root-key where the configuration asks for no passphrase: refused, and no vault is made', async () => {
  const folder = emptyFolder()
  writeFileSync(
    join(folder, 'strongroom.config.mjs'),
    `import { localKeyProvider, createLocalKeyFile } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
await createLocalKeyFile({ file: 'raw-root.key', rawKey: new Uint8Array(32).fill(1) })
export default async () => ({
  keyProviders: { eu: await localKeyProvider({ file: 'raw-root.key', rawKey: new Uint8Array(32).fill(1) }) },
  defaultRegion: 'eu',
  ...localStores({ directory: 'vault' }),
})
`,
  )
  const { code, stderr } = await strongroom(folder, ['init', '--root-key', 'root.key'])
  expect(code).toBe(64)
  expect(stderr).toMatch(/^strongroom: config_invalid: the configuration asked for no passphrase/)
  expect(readdirSync(folder)).not.toContain('root.key')
})

test('an init that fails, or is interrupted, once or twice, leaves no key file: the same command goes on', async () => {
  const folder = emptyFolder()
  writePrivate(join(folder, 'passphrase'), PASSPHRASE)
  const config = (work: string): void =>
    writeFileSync(
      join(folder, 'strongroom.config.ts'),
      PASSPHRASE_CONFIGURATION.replace('=> ({', '=> {')
        .replace('keyProviders:', `const options = { keyProviders:`)
        .replace(/\}\)\)\n$/, `}\n${work}\nreturn options\n})\n`),
    )
  const args = ['init', '--root-key', 'root.key', '--passphrase-file', 'passphrase']
  config("throw new Error('the store is away')")
  const failed = await strongroom(folder, args)
  expect([failed.code, existsSync(join(folder, 'root.key'))]).toEqual([1, false])
  config('return 5')
  const invalid = await strongroom(folder, args)
  expect([invalid.code, existsSync(join(folder, 'root.key'))]).toEqual([64, false])
  config("console.error('made'); await new Promise((resolve) => setTimeout(resolve, 3000))")
  for (const times of [1, 2]) {
    let sent = 0
    const ended = await strongroom(folder, args, {
      onStderr: (text, process) => {
        if (sent === 0 && text.includes('made')) process.kill('SIGINT')
        if (sent === 1 && times === 2 && text.includes('once more')) process.kill('SIGINT')
        if ((sent === 0 && text.includes('made')) || (sent === 1 && text.includes('once more'))) sent++
      },
    })
    expect([times, ended.code, existsSync(join(folder, 'root.key'))]).toEqual([times, 2, false])
  }
  config('')
  expect((await strongroom(folder, args)).code).toBe(0)
  expect(existsSync(join(folder, 'root.key'))).toBe(true)
  expect((await strongroom(folder, ['status', '--passphrase-file', 'passphrase'])).code).toBe(0)
})

describe('once the making of the vault has begun', () => {
  const args = ['init', '--root-key', 'root.key', '--passphrase-file', 'passphrase']
  /** A key store far away: what was written is there before its answer is, and something may happen meanwhile. */
  const slowly = (meanwhile: string): string =>
    PASSPHRASE_CONFIGURATION.replace('=> ({', '=> {\n  const stores = localStores({ directory: "vault" })\n  return {')
      .replace(
        "...localStores({ directory: 'vault' }),",
        `...stores,
  keyStore: { ...stores.keyStore, async put(record) { await stores.keyStore.put(record); ${meanwhile}; await new Promise((resolve) => setTimeout(resolve, 1500)) } },`,
      )
      .replace(/\}\)\)\n$/, '}})\n')

  async function begun(meanwhile: string): Promise<string> {
    const folder = emptyFolder()
    writePrivate(join(folder, 'passphrase'), PASSPHRASE)
    writeFileSync(join(folder, 'strongroom.config.ts'), PASSPHRASE_CONFIGURATION)
    writeFileSync(join(folder, 'slow.ts'), slowly(meanwhile))
    return folder
  }
  const opens = async (folder: string): Promise<number | string> =>
    (await strongroom(folder, ['status', '--passphrase-file', 'passphrase'])).code

  test('Ctrl-C twice: the root key stays, and opens the vault', async () => {
    const folder = await begun("console.error('stored')")
    let sent = 0
    const { code, stderr } = await strongroom(folder, [...args, '--config', 'slow.ts'], {
      onStderr: (text, process) => {
        if ((sent === 0 && text.includes('stored')) || (sent === 1 && text.includes('once more'))) {
          sent++
          process.kill('SIGINT')
        }
      },
    })
    expect([code, stderr]).toEqual([2, expect.stringContaining('ended at once: what was done is kept')])
    expect(await opens(folder)).toBe(0)
  })

  test('what nobody waits for throws: the root key stays, and it is said that the vault may be there', async () => {
    const folder = await begun("setTimeout(() => Promise.reject(new Error('heartbeat failed')), 100)")
    const { code, stderr } = await strongroom(folder, [...args, '--config', 'slow.ts'])
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/unexpected: Error: heartbeat failed; next: what was begun may have been done/),
    ])
    expect(await opens(folder)).toBe(0)
  })

  test('a vault that is there has another root key: the new one goes again', async () => {
    const folder = await begun('')
    expect((await strongroom(folder, args)).code).toBe(0)
    renameSync(join(folder, 'root.key'), join(folder, 'own.key'))
    const { code, stderr } = await strongroom(folder, args)
    expect([code, stderr]).toEqual([1, expect.stringContaining('already_exists')])
    expect(existsSync(join(folder, 'root.key'))).toBe(false)
    renameSync(join(folder, 'own.key'), join(folder, 'root.key'))
    expect(await opens(folder)).toBe(0)
  })

  test('keys that are out of reach: no second vault beside the ledger of the first', async () => {
    const folder = await begun('')
    expect((await strongroom(folder, args)).code).toBe(0)
    renameSync(join(folder, 'vault/keys'), join(folder, 'elsewhere'))
    const { code, stderr } = await strongroom(folder, ['init', '--passphrase-file', 'passphrase'])
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/already_exists: this state store has the ledger of a vault, .*put that key store back/),
    ])
    expect(existsSync(join(folder, 'vault/keys/data.mdb'))).toBe(false)
    rmSync(join(folder, 'vault/keys'), { recursive: true, force: true })
    renameSync(join(folder, 'elsewhere'), join(folder, 'vault/keys'))
    expect(await opens(folder)).toBe(0)
  })
})
