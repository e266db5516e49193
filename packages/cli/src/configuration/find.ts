/** Where the configuration is. */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'

import { CliError } from '../cli-error.ts'
import { MINIMAL_CONFIGURATION } from './minimal.ts'

const NAMES = ['strongroom.config.ts', 'strongroom.config.js', 'strongroom.config.mjs'] as const

/**
 * The file that was named, else the first of the three names that is in the folder. No other folder is looked in: what decides which root
 * keys are destroyed is not found by accident.
 *
 * @throws CliError `config_missing`; `config_invalid` where it cannot be told
 */
export function findConfiguration(directory: string, named: string | undefined): string {
  const wanted = named === undefined ? NAMES.map((name) => resolve(directory, name)) : [resolve(directory, named)]
  const found = wanted.find(isFile)
  if (found !== undefined) return found
  const looked = named === undefined ? `${NAMES.join(', ')} in ${directory}` : wanted.join('')
  throw new CliError('config_missing', `looked for ${looked}, and found none; name one with --config FILE, or begin with this one:`, {
    example: MINIMAL_CONFIGURATION,
  })
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new CliError('config_invalid', `${path} cannot be read (${code})`, { cause: error })
  }
}
