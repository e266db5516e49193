/** Packages that only some commands need, and not every vault has. */

import { CliError } from './cli-error.ts'

/** @throws CliError `package_missing` */
export async function optionalPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CliError('package_missing', `this needs the package ${name}: install it beside @strongroom/cli`, { cause: error })
  }
}
