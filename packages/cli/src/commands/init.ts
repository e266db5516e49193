/** `strongroom init`. */

import { lstatSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'

import { initVault, StrongroomError, type VaultOptions } from '@strongroom/core'
import type { Command } from 'commander'

import { CliError } from '../cli-error.ts'
import { type Configured, inConfiguration } from '../configuration/load.ts'
import { regionName, type SharedFlags, withVaultFlags } from '../flags.ts'
import { optionalPackage } from '../optional-package.ts'
import type { PassphraseSources } from '../passphrase/passphrases.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { isVaultError } from '../vault-error.ts'

interface Flags extends SharedFlags {
  readonly rootKey?: string
  readonly region?: string
}

const RETURN_OPTIONS =
  'init needs the options of the vault, because there is none to open yet: let the configuration return them in place of openVault(…)'

export function addInit(program: Command, runner: Runner): void {
  const command = program
    .command('init')
    .summary('make the vault that the configuration describes')
    .description('make the vault that the configuration describes, once; replaces nothing that is there')
    .option(
      '--root-key <file>',
      'first make this root key file (@strongroom/kms-local), with the passphrase that the configuration asks for (default: the file is there already)',
    )
    .option('--region <name>', 'write this region into the root key file, for good (default: none)', regionName)
  withVaultFlags(command).action((flags: Flags) => runner.run('init', flags, (session) => init(session, flags)))
}

async function init(session: Session, { rootKey, region }: Flags): Promise<Outcome> {
  if (region !== undefined && rootKey === undefined) throw new CliError('usage', '--region has no use without --root-key')
  const root = rootKey === undefined ? undefined : newRootKey(resolve(session.directory, rootKey), region)
  // However this ends, Ctrl-C twice included: a key file that no vault uses would be in the way of the same command.
  const settled = session.undoAtExit(() => root?.undo())
  try {
    const { options, path } = await configuredOptions(session, root?.newKey)
    requireRegion(options, region)
    if (root?.isMade() === false)
      throw new CliError('config_invalid', 'the configuration asked for no passphrase that --root-key could be made with; nothing was made')
    session.begin()
    // From here on a vault may hang on the key, however this ends: a file too many does no harm.
    root?.keep()
    await inConfiguration(path, () => initVault(options)).catch(async (error: unknown) => {
      if (root !== undefined && (isAlreadyThere(error) || (await isWithoutVault(options)))) root.giveUp()
      throw error
    })
    return outcome(options, rootKey)
  } finally {
    root?.undo()
    settled()
  }
}

// Else the provider would say that it serves another region than it is registered for.
function requireRegion({ keyProviders }: VaultOptions, region: string | undefined): void {
  if (region === undefined || Object.hasOwn(keyProviders, region)) return
  throw new CliError(
    'config_invalid',
    `--region ${region} is none of the regions in keyProviders of the configuration (${Object.keys(keyProviders).join(', ')}); nothing was made`,
  )
}

// Of a vault that was there before, the new key is not the key.
function isAlreadyThere(error: unknown): boolean {
  return isVaultError(error) && error.code === 'already_exists'
}

async function isWithoutVault({ keyStore }: VaultOptions): Promise<boolean> {
  try {
    const [found] = await keyStore.get([{ type: 'vault' }])
    return found === undefined
  } catch {
    return false
  }
}

function outcome({ defaultRegion }: VaultOptions, rootKey: string | undefined): Outcome {
  const made =
    rootKey === undefined ? [] : [`root key file ${rootKey} is made: lose it or its passphrase, and all data is lost; copy it now`]
  return {
    lines: [...made, `the vault is made, with its home in region ${defaultRegion}`],
    summary: { region: defaultRegion, ...(rootKey === undefined ? {} : { rootKey }) },
  }
}

async function configuredOptions(session: Session, newKey: PassphraseSources['newKey']): Promise<Configured & { options: VaultOptions }> {
  let configured: Configured
  try {
    configured = await session.configure(newKey)
  } catch (error) {
    if (isVaultError(error) && error.code === 'vault_not_initialised') throw new CliError('config_invalid', RETURN_OPTIONS)
    throw error
  }
  if ('options' in configured) {
    session.closeAtEnd(configured.options)
    return configured
  }
  throw new StrongroomError('already_exists', 'the configuration opened a vault, so there is one already')
}

/** A root key file that is taken away again unless it is kept. */
interface NewRootKey {
  readonly newKey: NonNullable<PassphraseSources['newKey']>
  isMade(): boolean
  keep(): void
  /** No vault hangs on it after all. */
  giveUp(): void
  undo(): void
}

/** The file is made with the passphrase that the configuration asks for, before it gets it: the two cannot differ. */
function newRootKey(file: string, region: string | undefined): NewRootKey {
  // Said before a new passphrase is asked for. What is there when the file is written decides.
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined)
    throw new CliError(
      'file_unusable',
      `${file} is there already, and a root key file is never replaced; give another name, or leave --root-key out to make the vault with that file`,
    )
  let made = false
  let isKept = false
  return {
    isMade: () => made,
    keep() {
      isKept = true
    },
    giveUp() {
      isKept = false
    },
    undo() {
      if (made && !isKept) rmSync(file, { force: true })
      made = false
    },
    newKey: {
      matches: (name) => name === undefined || region === undefined || name === region,
      async make(passphrase) {
        const { createLocalKeyFile } = await optionalPackage('@strongroom/kms-local', () => import('@strongroom/kms-local'))
        await createLocalKeyFile({ file, passphrase, region })
        made = true
      },
    },
  }
}
