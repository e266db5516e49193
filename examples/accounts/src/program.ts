/** Runs a program: what goes wrong is told in one line, without what it may quote, and ends it. */

import { described } from './errors.ts'

export async function program(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    console.error(described(error))
    process.exit(1)
  }
}
