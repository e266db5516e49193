/** Questions in the terminal. They are asked on stderr: stdout may be a pipe. */

import { Secret } from '@strongroom/core'

import { CliError, Interrupted } from '../cli-error.ts'
import type { System } from '../system.ts'

export interface Prompts {
  /** Whether there is anyone to ask. */
  readonly isPossible: boolean
  /** Without echo, not even of its length. @throws Interrupted at Ctrl-C */
  passphrase(message: string): Promise<Secret<string>>
  /** Asked twice. @throws CliError `passphrase_unusable` where the two differ; Interrupted at Ctrl-C */
  newPassphrase(message: string): Promise<Secret<string>>
  /** No, unless the answer is yes. @throws Interrupted at Ctrl-C */
  confirm(message: string): Promise<boolean>
}

export function terminalPrompts({ stdin, stderr }: Pick<System, 'stdin' | 'stderr'>, signal: AbortSignal): Prompts {
  const shared = { input: stdin, output: stderr, signal, withGuide: false }
  const answered = <T>(answer: T | symbol): T => {
    if (typeof answer === 'symbol') throw new Interrupted('interrupted')
    return answer
  }
  const passphrase = async (message: string): Promise<Secret<string>> => {
    const validate = (typed: string | undefined): string | undefined => (typed ? undefined : 'It must not be empty.')
    // Loaded when there is a question: a cron job has none.
    const { password } = await import('@clack/prompts')
    return new Secret(answered<string>(await password({ ...shared, message, mask: '', validate })))
  }
  return {
    isPossible: stdin.isTTY && stderr.isTTY,
    passphrase,
    async newPassphrase(message) {
      const first = await passphrase(message)
      const again = await passphrase(`${message}, again`)
      if (first.reveal() !== again.reveal()) throw new CliError('passphrase_unusable', 'the two passphrases differ; nothing was made')
      return first
    },
    async confirm(message) {
      const { confirm } = await import('@clack/prompts')
      return answered<boolean>(await confirm({ ...shared, message, initialValue: false }))
    },
  }
}
