/** The command line: which commands there are, and how wrong use is told. */

import { readFileSync } from 'node:fs'

import completion from '@bomb.sh/tab/commander'
import { Command } from 'commander'

import { addCertificate } from './commands/certificate.ts'
import { addCloseEpoch } from './commands/close-epoch.ts'
import { addErase } from './commands/erase.ts'
import { addErasures } from './commands/erasures.ts'
import { addHold } from './commands/hold.ts'
import { addHolds } from './commands/holds.ts'
import { addInit } from './commands/init.ts'
import { addPseudonymise } from './commands/pseudonymise.ts'
import { addReceiptKeys } from './commands/receipt-keys.ts'
import { addRelease } from './commands/release.ts'
import { addReplay } from './commands/replay.ts'
import { addRotateRoot } from './commands/rotate-root.ts'
import { addRotateSubject } from './commands/rotate-subject.ts'
import { addRotateTenant } from './commands/rotate-tenant.ts'
import { addShred } from './commands/shred.ts'
import { addStatus } from './commands/status.ts'
import { addSweep } from './commands/sweep.ts'
import { addVerifyCertificate } from './commands/verify-certificate.ts'
import { addVerifyKeys } from './commands/verify-keys.ts'
import { addVerifyReceipt } from './commands/verify-receipt.ts'
import { COMPLETION_SCRIPTS, type Shell } from './completion-scripts.ts'
import type { Runner } from './runner.ts'

const AFTER_HELP = `
Exit codes: 0 done; 1 failed; 2 interrupted, the same command goes on; 64 wrong use, nothing was begun.
A passphrase is never an argument: it is asked for without echo, or read with --passphrase-file or --passphrase-fd.`

/** @param toStdout - takes help; @param toStderr - takes what commander says of wrong use */
export function createProgram(runner: Runner, toStdout: (text: string) => void, toStderr: (text: string) => void): Command {
  const program = new Command('strongroom')
    .description('Operate a Strongroom vault: rotate keys, close epochs, shred, and see what waits.')
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: toStdout, writeErr: toStderr, outputError: () => undefined })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP)
  addInit(program, runner)
  addStatus(program, runner)
  const rotate = program.command('rotate').description('new keys: for a region, a tenant or a subject')
  addRotateRoot(rotate, runner)
  addRotateTenant(rotate, runner)
  addRotateSubject(rotate, runner)
  addCloseEpoch(program, runner)
  addShred(program, runner)
  addErase(program, runner)
  addErasures(program, runner)
  addHold(program, runner)
  addRelease(program, runner)
  addHolds(program, runner)
  addSweep(program, runner)
  addReplay(program, runner)
  addCertificate(program, runner)
  addPseudonymise(program, runner)
  addVerifyKeys(program, runner)
  addReceiptKeys(program, runner)
  addVerifyReceipt(program, runner)
  addVerifyCertificate(program, runner)
  addHelp(program)
  addCompletion(program, toStdout)
  return program
}

// The parser's own takes one name, and says nothing of one that there is not.
function addHelp(program: Command): void {
  program
    .command('help')
    .description('print the help of a command')
    .argument('[command...]', 'the command, such as rotate root')
    .action((names: readonly string[]) => {
      let at = program
      for (const name of names) {
        const found = at.commands.find((each) => each.name() === name)
        // The parser says of such a name which other one is meant; a command that has none beneath it would run.
        if (found === undefined && at.commands.length > 0) at.parse(['--', name], { from: 'user' })
        if (found === undefined) program.error(`error: unknown command '${name}'`)
        at = found
      }
      at.help()
    })
}

// The library knows what to complete. Its own scripts evaluate the line that is being typed.
function addCompletion(program: Command, toStdout: (text: string) => void): void {
  completion(program, { completionCommandName: 'completion' })
  const command = program.commands.find((each) => each.name() === 'completion')
  command?.registeredArguments[0]?.choices(Object.keys(COMPLETION_SCRIPTS))
  command?.description('print a script for a shell: bash, zsh or fish').action((shell: Shell) => toStdout(COMPLETION_SCRIPTS[shell]))
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return (manifest as { readonly version: string }).version
}
