/** From the arguments of the process to its exit code. */

import { CommanderError } from 'commander'

import { ExitCode } from './exit-code.ts'
import { createProgram } from './program.ts'
import { Runner } from './runner.ts'
import type { System } from './system.ts'
import { wrongUseMessage } from './wrong-use.ts'

/** Never throws: what went wrong is a line on stderr and a code. */
export async function run(system: System): Promise<ExitCode> {
  const runner = new Runner(system)
  const program = createProgram(
    runner,
    (text) => void runner.print(text),
    (text) => void runner.note(text),
  )
  try {
    await program.parseAsync(system.arguments, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return ExitCode.done
    // Help in place of a command that was not given has been shown by now.
    if (error.code === 'commander.help') return ExitCode.usage
    await runner.wrongUse(wrongUseMessage(error.message))
  }
  return runner.exitCode
}
