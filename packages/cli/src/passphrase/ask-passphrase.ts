/** What a configuration may ask of the command: a passphrase, wherever the operator has it. */

import type { Secret } from '@strongroom/core'

export interface PassphraseOptions {
  /** What it opens, such as a region: shown when it is asked for. Each name is asked for once. */
  readonly name?: string
  /** The environment variable that may hold it. No variable is read unless a configuration names it here. */
  readonly env?: string
}

/**
 * Asks for a passphrase: `--passphrase-fd`, else `--passphrase-file`, else the environment variable that is named, else a question in the
 * terminal, without echo.
 */
export type AskPassphrase = (options?: PassphraseOptions) => Promise<Secret<string>>
