// How a run ends: the result first, whatever the configuration does when it is closed, or never does.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { BIN, FUNCTION, shell, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { emptyFolder, vaultFolder } from './support/vault-folder.ts'

/** A vault folder whose configuration changes what it has opened. */
async function changed(work: string): Promise<string> {
  const { folder } = await vaultFolder()
  const file = join(folder, 'strongroom.config.ts')
  const source = readFileSync(file, 'utf8').replace('async () =>\n  openVault(', 'async () => {\n  const vault = await openVault(')
  writeFileSync(file, source.replace(/\),\n\)\n$/, `)\n${work}\n})\n`))
  return folder
}

describe('the closing of the vault', () => {
  test('fails: the result is there, and a note', async () => {
    const folder = await changed("return { ...vault, async close() { await vault.close(); throw new Error('not today') } }")
    for (const command of [['status'], ['rotate', 'root']]) {
      const { code, stdout, stderr } = await strongroom(folder, [...command, '--json'])
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { outcome: 'done' }])
      expect(stderr).toMatch(/strongroom: note: the vault was not closed: unexpected: Error: not today\n$/)
    }
  })

  test('never ends: the result is there, and a note, in time', async () => {
    const folder = await changed('return { ...vault, close: () => new Promise(() => undefined) }')
    const { code, stdout, stderr } = await strongroom(folder, ['status', '--json'])
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { outcome: 'done' }])
    expect(stderr).toMatch(/^strongroom: note: the vault was not closed: .*no answer within 5 s\n$/)
  })

  test('is not left out where Ctrl-C falls while the configuration opens it', async () => {
    const folder = await changed(`console.error('begun'); await new Promise((resolve) => setTimeout(resolve, 1500))
return { ...vault, async close() { await vault.close(); console.error('closed') } }`)
    let sent = false
    const { code, stderr } = await strongroom(folder, ['status'], {
      onStderr: (text, process) => {
        if (sent || !text.includes('begun')) return
        sent = true
        process.kill('SIGINT')
      },
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/strongroom: interrupted: [^\n]*\nclosed\n$/)
  })
})

describe('no outcome', () => {
  test('a promise that never settles does not end in silence; a signal ends it', async () => {
    const folder = emptyFolder()
    writeFileSync(
      join(folder, 'strongroom.config.mjs'),
      "export default () => { console.error('begun'); return new Promise(() => undefined) }",
    )
    let sent = 0
    const { code, stderr } = await strongroom(folder, ['status'], {
      onStderr: (text, process) => {
        if (sent === 0 && text.includes('begun')) setTimeout(() => process.kill('SIGTERM'), 500)
        else if (sent === 1 && text.includes('once more')) process.kill('SIGTERM')
        else return
        sent++
      },
    })
    expect(code).toBe(2)
    expect(stderr).toContain('ended at once')
  })

  test('a configuration that ends the process: one line, and exit 1', async () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'strongroom.config.mjs'), 'export default () => process.exit(0)')
    const { code, stdout, stderr } = await strongroom(folder, ['status', '--json'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^strongroom: unexpected: the process was ended from within [^\n]*\n$/)])
    expect(JSON.parse(stdout)).toMatchObject({ command: 'status', outcome: 'failed', code: 'unexpected' })
  })

  test('a thread that is blocked: the second signal ends it', async () => {
    const folder = emptyFolder()
    writeFileSync(
      join(folder, 'strongroom.config.mjs'),
      "import { readFile } from 'node:fs/promises'\nexport default () => { console.error('begun'); return readFile('pipe') }",
    )
    await shell(folder, 'mkfifo pipe')
    let sent = 0
    const { code } = await strongroom(folder, ['status'], {
      onStderr: (text, process) => {
        if (sent === 0 && text.includes('begun')) setTimeout(() => process.kill('SIGTERM'), 300)
        else if (sent === 1 && text.includes('once more')) process.kill('SIGTERM')
        else return
        sent++
        // Nothing else would end it: the test must.
        setTimeout(() => process.kill('SIGKILL'), 10_000).unref()
      },
    })
    expect(code).toBe('SIGTERM')
  })
})

test.each(['at a question', 'in the middle of a rotation'])(
  'a terminal that is closed %s: ended by SIGHUP, and not aborted',
  async (when) => {
    const { folder, with: opened } = await vaultFolder({ cacheBound: 1500 })
    if (when !== 'at a question') await opened((vault) => vault.tenant('t0').subject('s0').shred())
    const [command, shown] = when === 'at a question' ? ['shred tenant t0', /to go on/] : ['rotate root', /waiting/]
    // A shell without the terminal tells how the command ended.
    const terminal = new Terminal(
      `trap '' HUP; "${process.execPath}" -e "const c = require('node:child_process').spawn(process.execPath, ['${BIN}', ...'${command}'.split(' ')], { stdio: 'inherit' }); process.on('SIGHUP', () => c.kill('SIGHUP')); c.on('exit', (code, signal) => require('node:fs').writeFileSync('ended', String(code ?? signal)))"`,
      folder,
    )
    await terminal.until(shown)
    terminal.close()
    await expect
      .poll(() => existsSync(join(folder, 'ended')) && readFileSync(join(folder, 'ended'), 'utf8'), { timeout: 20_000 })
      .toBe('SIGHUP')
  },
)

test.each([
  ['nohup', 'SIGHUP'],
  ['setsid', '0'],
])('a rotation whose terminal is closed, begun with %s: %s', async (how, expected) => {
  const { folder, with: opened } = await vaultFolder({ cacheBound: 1500 })
  await opened((vault) => vault.tenant('t0').subject('s0').shred())
  // When the shell that leads the session ends, all that is in the foreground gets SIGHUP: the one that tells how it ended heeds none.
  const args = JSON.stringify([process.execPath, BIN, 'rotate', 'root'])
  const tell = `const { openSync, writeFileSync } = require('node:fs'); const out = openSync('out', 'w'); require('node:child_process').spawn('${how}', ${args}, { stdio: ['ignore', out, out] }).on('exit', (code, signal) => writeFileSync('ended', String(signal ?? code))); process.on('SIGHUP', () => undefined)`
  writeFileSync(join(folder, 'tell.cjs'), tell)
  const terminal = new Terminal(`"${process.execPath}" tell.cjs & wait`, folder)
  const read = (file: string): string => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '')
  await expect.poll(() => read('out'), { timeout: 20_000 }).toMatch(/waiting/)
  terminal.close()
  await expect.poll(() => read('ended'), { timeout: 20_000 }).toBe(expected)
})

test('a terminal of no width: status is shown', async () => {
  const { folder } = await vaultFolder()
  const terminal = new Terminal(`${FUNCTION}; stty cols 0; strongroom status`, folder)
  expect(await terminal.ended).toBe(0)
  expect((await terminal.lines()).join('\n')).toContain('home region eu')
})

test('colour is decided for each stream', async () => {
  const { folder } = await vaultFolder()
  const terminal = new Terminal(`${FUNCTION}; strongroom shred t0 --yes 2> notes > receipt; strongroom status 2> notes2`, folder)
  expect(await terminal.ended).toBe(0)
  expect(terminal.raw).toContain('\u001B[')
  expect(readFileSync(join(folder, 'notes'), 'utf8')).not.toContain('\u001B')
  const other = new Terminal(`${FUNCTION}; strongroom shred tenant t1 --yes 2> notes`, folder)
  expect(await other.ended).toBe(0)
  expect(readFileSync(join(folder, 'notes'), 'utf8')).toMatch(/^Gone for good/)
})
