/** The erasure of the configuration, for the commands that are about nothing else. */

import type { Vault } from '@strongroom/core'

import { CliError } from '../cli-error.ts'
import type { ErasureService } from '../configuration/erasure-service.ts'
import type { Session } from '../session.ts'

/** @throws CliError `config_invalid` where the configuration has none */
export async function openErasure(session: Session): Promise<{ readonly vault: Vault; readonly erasure: ErasureService }> {
  const { vault, erasure } = await session.openServices()
  if (erasure === undefined)
    throw new CliError(
      'config_invalid',
      'the configuration has no erasure: let its services return { erasure: createErasure(vault, …) } of @strongroom/erasure',
    )
  return { vault, erasure }
}
