// Pipes, and streams that are gone.
import { describe, expect, test } from 'vitest'

import { shell } from './support/command.ts'
import { readAll, vaultFolder } from './support/vault-folder.ts'

/** Runs a command into a pipe that nobody reads any more, and says how it ended. */
const intoClosedPipe = (command: string): string => `{ sleep 0.1; ${command}; echo "exit $?" >&2; } | true`

describe('stdout is gone', () => {
  test('a rotation goes on to its end, and says that its outcome was not read', async () => {
    const { folder, with: opened } = await vaultFolder()
    const { stderr } = await shell(folder, intoClosedPipe('strongroom rotate root'))
    expect(stderr).toMatch(/\nchecking 1\/1\nstrongroom: output_closed: [^\n]*the work itself is done\nexit 0\n$/)
    expect(await opened(async (vault) => (await vault.status()).regions[0]?.rotation.state)).toBe('finished')
  })

  test('what was run for its output has failed', async () => {
    const { folder, values } = await vaultFolder()
    for (const command of ['status', 'status --json', 'receipt-keys', 'verify-keys', 'shred subject t0 s0 --yes']) {
      const { stderr } = await shell(folder, intoClosedPipe(`strongroom ${command}`))
      expect(stderr).toMatch(/strongroom: output_closed: stdout was closed before the result was written; run it again\nexit 1\n$/)
    }
    // The shred itself is done; running it again gives the receipt.
    expect((await readAll(folder, values))[0]).toBe('shredded')
    expect((await shell(folder, 'strongroom shred subject t0 s0 --yes')).stdout).toMatch(/^srr1\./)
  })

  test('closed from the start, or help into a pipe that is closed: no stack trace', async () => {
    const { folder } = await vaultFolder()
    const closed = await shell(folder, 'strongroom rotate root >&-')
    expect(closed.code).toBe(0)
    expect(closed.stderr).not.toMatch(/at .*:\d+/)
    const help = await shell(folder, intoClosedPipe('strongroom --help'))
    expect(help.stderr).toBe('exit 0\n')
  })
})

describe('stderr is gone', () => {
  test('a rotation goes on to its end', async () => {
    const { folder } = await vaultFolder()
    const piped = await shell(folder, '{ sleep 0.1; strongroom rotate root --json; echo "exit $?"; } 2> >(true)')
    expect(piped.stdout).toMatch(/^\{"command":"rotate root","outcome":"done".*\}\nexit 0\n$/)
    const closed = await shell(folder, 'strongroom rotate root --json 2>&-')
    expect([closed.code, closed.stderr]).toEqual([0, ''])
  })
})
