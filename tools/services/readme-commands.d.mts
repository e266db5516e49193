import type { MongoClient } from 'mongodb'

/** Which service a README starts, and with what in place of what is written there. */
export interface Readme {
  /** The example's folder. */
  readonly example: URL
  /** The block of commands that starts it. */
  readonly start: string
  readonly uri: string
  /** What it has printed once it is ready. */
  readonly ready: RegExp
  /** For what it leaves on the server; closed in the end. */
  readonly client: MongoClient
  readonly environment?: Readonly<Record<string, string>>
}

/** A service that was started by the commands of its README. */
export interface Started {
  readonly printed: string
  /** Ends all its programs, and removes what they have left. */
  stop(): Promise<void>
}

export function commandsOf(example: URL, changes?: Readonly<Record<string, string>>): readonly string[]
export function freePort(): Promise<number>
export function runCommands(block: string): string
export function startByReadme(readme: Readme): Promise<Started>
