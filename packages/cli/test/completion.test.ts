// Completion scripts: the one for bash at work in bash, the others by their form.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { FUNCTION, shell } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { emptyFolder } from './support/vault-folder.ts'

// What the script needs of the package bash-completion.
const BASH_COMPLETION = `_get_comp_words_by_ref() { cur="\${COMP_WORDS[COMP_CWORD]}"; prev="\${COMP_WORDS[COMP_CWORD-1]}"; words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; }`

test('bash completes commands, those beneath them, options and their choices', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'bashrc'), `${FUNCTION}\n${BASH_COMPLETION}\nsource <(strongroom completion bash)\nPS1='> '\n`)
  const terminal = new Terminal('exec bash --rcfile bashrc -i', folder)
  await terminal.until(/^> $/m)
  const cases: readonly [string, RegExp][] = [
    ['strongroom sta\t', /> strongroom status $/],
    ['strongroom rotate \t\t', /root\b[^>]*subject\b[^>]*tenant\b/],
    ['strongroom rotate root --conc\t', /> strongroom rotate root --concurrency $/],
    ['strongroom shred acme --reason acc\t', /> strongroom shred acme --reason accountDeleted $/],
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
