/** What the command says to whoever started it. Documented, so they never change. */
export const ExitCode = {
  /** All of it is done. */
  done: 0,
  /** It failed; the line on stderr says why. */
  failed: 1,
  /** Ended early, by a signal or at a question. The same command goes on where this one stopped. */
  interrupted: 2,
  /** The command line or the configuration is wrong: nothing was begun. EX_USAGE of sysexits.h. */
  usage: 64,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
