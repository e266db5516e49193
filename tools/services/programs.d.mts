export interface Call {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** JSON already, or to be made JSON. */
  readonly body?: string | object
}

export interface Answered {
  readonly status: number
  readonly body?: Readonly<Record<string, unknown>>
}

/** The service, in a process of its own. */
export interface Service {
  readonly url: string
  call(method: string, path: string, given?: Call): Promise<Answered>
  /** SIGTERM. @returns the exit code, or the signal that ended it */
  stop(): Promise<number | string>
  /** SIGKILL. */
  kill(): Promise<number | string>
  readonly ended: Promise<number | string>
  printed(): string
}

export interface Place {
  readonly programs: URL
  readonly uri: string
  readonly database: string
  readonly folder: string
  readonly more?: Readonly<Record<string, string>>
  readonly options?: readonly string[]
}

export interface Programs {
  readonly environment: Record<'MONGODB_URI' | 'DATABASE' | 'ROOT_KEY_FILE' | 'PASSPHRASE_FILE' | 'PORT', string>
  run(program: string, ...args: readonly string[]): Promise<string>
  start(...ofNode: readonly string[]): Promise<Service>
}

export function servicePrograms(place: Place): Programs
export function startProgram(
  program: string,
  environment: Readonly<Record<string, string>>,
  ofNode?: readonly string[],
  options?: readonly string[],
): Promise<Service>
