/** Where passphrases come from: never from an argument, which any process of the machine can see. */

import { Secret } from '@strongroom/core'

import { CliError } from '../cli-error.ts'
import type { System } from '../system.ts'
import type { Prompts } from '../terminal/prompts.ts'
import type { Redaction } from '../terminal/redaction.ts'
import type { AskPassphrase, PassphraseOptions } from './ask-passphrase.ts'
import { requireHandedOver } from './handed-over.ts'
import { readPassphraseDescriptor, readPassphraseFile } from './read-passphrase.ts'

/** What the command line says of passphrases. */
export interface PassphraseFlags {
  readonly passphraseFd?: number | undefined
  readonly passphraseFile?: string | undefined
}

/** What passphrases are taken from, and what they are told to. */
export interface PassphraseSources {
  readonly flags: PassphraseFlags
  readonly environment: System['environment']
  readonly prompts: Prompts
  readonly redaction: Redaction
  /** Ends the waiting for a pipe. */
  readonly signal: AbortSignal
  /** Set by `init` where a new root key file is to be made: called with the first passphrase that matches, before anyone else has it. */
  readonly newKey?: { matches(name: string | undefined): boolean; make(passphrase: Secret<string>): Promise<void> } | undefined
}

/**
 * What a configuration asks with. Each name is asked for once; what a flag gives answers for all names.
 *
 * @throws CliError `passphrase_unusable` where a descriptor is named that was not handed over
 * @throws (the function) CliError `passphrase_missing`, `passphrase_unusable`; Interrupted
 */
export function passphrases(sources: PassphraseSources): AskPassphrase {
  const { passphraseFd } = sources.flags
  if (passphraseFd !== undefined) requireHandedOver(passphraseFd)
  const known = new Map<string | undefined, Promise<Secret<string>>>()
  let flags: Promise<Secret<string> | undefined> | undefined
  let toMake = sources.newKey

  return async (options = {}) => {
    const { name } = options
    const found = known.get(name) ?? find(options)
    known.set(name, found)
    return found
  }

  async function find({ name, env }: PassphraseOptions): Promise<Secret<string>> {
    const making = toMake?.matches(name) === true ? toMake : undefined
    if (making !== undefined) toMake = undefined
    flags ??= fromFlags(sources)
    const passphrase = (await flags) ?? fromEnvironment(env, sources) ?? (await fromPrompt(name, env, making !== undefined, sources))
    sources.redaction.add(passphrase)
    await making?.make(passphrase)
    return passphrase
  }
}

async function fromFlags({ flags, environment, signal }: PassphraseSources): Promise<Secret<string> | undefined> {
  const { passphraseFd, passphraseFile } = flags
  if (passphraseFd !== undefined) return readPassphraseDescriptor(passphraseFd, signal)
  if (passphraseFile === undefined) return undefined
  return readPassphraseFile(passphraseFile, { signal, credentials: environment['CREDENTIALS_DIRECTORY'] })
}

function fromEnvironment(env: string | undefined, { environment }: PassphraseSources): Secret<string> | undefined {
  const value = env === undefined ? undefined : environment[env]
  return value === undefined || value === '' ? undefined : new Secret(value)
}

async function fromPrompt(
  name: string | undefined,
  env: string | undefined,
  isNew: boolean,
  { prompts }: PassphraseSources,
): Promise<Secret<string>> {
  if (!prompts.isPossible) {
    const others = env === undefined ? '' : `, or set ${env}`
    throw new CliError(
      'passphrase_missing',
      `a passphrase is needed, and there is no terminal to ask in; give --passphrase-file FILE or --passphrase-fd N${others}`,
    )
  }
  const of = name === undefined ? '' : ` of ${name}`
  return isNew ? prompts.newPassphrase(`New passphrase${of}`) : prompts.passphrase(`Passphrase${of}`)
}
