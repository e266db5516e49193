// Completion scripts: the one for bash at work in bash, the others by their form.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { BIN, FUNCTION, shell } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { emptyFolder } from './support/vault-folder.ts'

test('bash completes commands, those beneath them, options and their choices', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'bashrc'), `${FUNCTION}\nsource <(strongroom completion bash)\nPS1='> '\n`)
  const terminal = new Terminal('exec bash --rcfile bashrc -i', folder)
  await terminal.until(/^> $/m)
  const cases: readonly [string, RegExp][] = [
    ['strongroom sta\t', /> strongroom status $/],
    ['strongroom rotate \t\t', /root\b[^>]*subject\b[^>]*tenant\b/],
    ['strongroom rotate root --conc\t', /> strongroom rotate root --concurrency $/],
    ['strongroom shred subject acme --reason acc\t', /> strongroom shred subject acme --reason accountDeleted $/],
  ]
  for (const [typed, shown] of cases) {
    terminal.type(typed)
    await terminal.until(shown)
    // Away with the line.
    terminal.type('\u0003')
    await terminal.until(/\^C\n> $/)
  }
  terminal.type('exit 0\r')
  expect(await terminal.ended).toBe(0)
})

test.each([
  ['zsh', /^#compdef strongroom/m],
  ['fish', /complete -c strongroom/],
])('%s', async (name, form) => {
  const { code, stdout } = await shell(emptyFolder(), `strongroom completion ${name}`)
  expect(code).toBe(0)
  expect(stdout).toMatch(form)
})

test('a shell that there is no script for: wrong use', async () => {
  const { code, stderr } = await shell(emptyFolder(), 'strongroom completion csh')
  expect(code).toBe(64)
  expect(stderr).toMatch(/^strongroom: usage: /)
})

/** A shell that completes, with what is typed into it. */
async function completing(folder: string, typed: readonly string[]): Promise<void> {
  writeFileSync(join(folder, 'bashrc'), `${FUNCTION}\nsource <(strongroom completion bash)\nPS1='> '\n`)
  const terminal = new Terminal('exec bash --rcfile bashrc -i', folder)
  await terminal.until(/^> $/m)
  for (const line of typed) {
    terminal.type(line)
    // Completion is there once the shell takes a line again.
    await new Promise((resolve) => setTimeout(resolve, 2000))
    terminal.type('\u0003')
    await terminal.until(/\^C\n> $/)
  }
  terminal.type('strongroom verify-k\t')
  await terminal.until(/> strongroom verify-keys $/)
  terminal.type('\u0003')
  await terminal.until(/\^C\n> $/)
  terminal.type('exit 0\r')
  expect(await terminal.ended).toBe(0)
}

test('bash runs nothing of the line that it completes, and writes into no file', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'kept'), 'as it was')
  await completing(folder, [
    'strongroom status $(touch pwn) \t',
    'strongroom shred subject `touch pwn` --re\t',
    'strongroom status; touch pwn \t',
    'strongroom receipt-keys > kept \t',
    'strongroom receipt-keys >kept --\t',
    'strongroom receipt-keys --config "$(touch pwn)" --js\t',
  ])
  expect(existsSync(join(folder, 'pwn'))).toBe(false)
  expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('as it was')
})

test('no script evaluates anything', async () => {
  for (const name of ['bash', 'zsh', 'fish']) {
    const { stdout } = await shell(emptyFolder(), `strongroom completion ${name}`)
    expect([name, /\beval\b/.test(stdout)]).toEqual([name, false])
  }
})

const hasShell = (name: string): boolean => spawnSync(name, ['--version']).status === 0

test.runIf(hasShell('fish'))('fish completes, and runs nothing', async () => {
  const folder = emptyFolder()
  const command = `function strongroom; '${process.execPath}' '${BIN}' $argv; end; strongroom completion fish | source`
  const of = (line: string): string =>
    spawnSync('fish', ['--no-config', '-c', `${command}; complete --do-complete '${line}'`], { cwd: folder, encoding: 'utf8' }).stdout
  expect(of('strongroom sta')).toMatch(/^status\t/)
  expect(of('strongroom rotate root --conc')).toMatch(/^--concurrency\t/)
  of('strongroom status (touch pwn) --')
  of('strongroom status $(touch pwn) --')
  expect(existsSync(join(folder, 'pwn'))).toBe(false)
})

test.runIf(hasShell('zsh'))('zsh completes, and runs nothing', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, '.zshrc'), `${FUNCTION}\nautoload -U compinit\ncompinit -u\nsource <(strongroom completion zsh)\nPS1='> '\n`)
  writeFileSync(join(folder, 'kept'), 'as it was')
  const terminal = new Terminal('exec zsh -i', folder, { environment: { ZDOTDIR: folder } })
  await terminal.until(/^> $/m)
  for (const typed of ['strongroom status $(touch pwn) --\t', 'strongroom status > kept --\t']) {
    terminal.type(typed)
    await new Promise((resolve) => setTimeout(resolve, 2000))
    terminal.type('\u0003')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  terminal.type('strongroom verify-k\t')
  await terminal.until(/> strongroom verify-keys/)
  terminal.type('\u0003')
  await new Promise((resolve) => setTimeout(resolve, 500))
  terminal.type('exit 0\r')
  expect(await terminal.ended).toBe(0)
  expect(existsSync(join(folder, 'pwn'))).toBe(false)
  expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('as it was')
})
