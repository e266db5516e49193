/** A running server. */
export interface Server {
  readonly uri: string
  /** Its name and version. */
  readonly description: string
  stop(): Promise<void>
}

/** Why there is none. */
export interface NoServer {
  readonly uri: undefined
  readonly description: string
}

/** A server that a test may kill. */
export interface OwnServer extends Server {
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>
  /** Again, on what is on the disk, under the same address. */
  start(): Promise<void>
}

export function openServer(): Promise<Server | NoServer>
export function startServer(): Promise<OwnServer | NoServer>
