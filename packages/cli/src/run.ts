/** From the arguments of the process to its exit code. */

import { type Command, CommanderError } from 'commander'

import { ExitCode } from './exit-code.ts'
import { createProgram } from './program.ts'
import { Runner } from './runner.ts'
import type { System } from './system.ts'
import { wrongUseMessage } from './wrong-use.ts'

/** Never throws: what went wrong is a line on stderr and a code. */
export async function run(system: System): Promise<ExitCode> {
  const wantsJson = beforeDashes(system.arguments).includes('--json')
  const runner = new Runner(system, wantsJson)
  const program = createProgram(
    runner,
    (text) => void runner.print(text),
    (text) => void runner.note(text),
  )
  try {
    await program.parseAsync(system.arguments, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) await wrongUse(runner, program, system.arguments, error, wantsJson)
  }
  return runner.leave()
}

async function wrongUse(
  runner: Runner,
  program: Command,
  args: readonly string[],
  { code, message }: CommanderError,
  wantsJson: boolean,
): Promise<void> {
  // Help in place of a command that was not given has been shown by now.
  if (code === 'commander.help' && !wantsJson) {
    runner.exitCode = ExitCode.usage
    return
  }
  const told = code === 'commander.help' ? 'no command was given' : wrongUseMessage(message)
  await runner.wrongUse(nameOf(program, args), told)
}

/** The command that the arguments name, as far as there is one. */
function nameOf(program: Command, args: readonly string[]): string {
  const names: string[] = []
  let at: Command | undefined = program
  for (const word of beforeDashes(args)) {
    at = at.commands.find((command) => command.name() === word)
    if (at === undefined) break
    names.push(word)
  }
  return names.join(' ')
}

function beforeDashes(args: readonly string[]): readonly string[] {
  const dashes = args.indexOf('--')
  return dashes === -1 ? args : args.slice(0, dashes)
}
