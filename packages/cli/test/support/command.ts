// The command as a process without a terminal.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url))

export interface Ended {
  /** The exit code, or the name of the signal that ended it. */
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Written to stdin, which is then closed. */
  readonly input?: string
  /** Called with all of stderr so far, whenever there is more. */
  readonly onStderr?: (stderr: string, process: ChildProcess) => void
}

/** Runs `strongroom` in a folder, to its end. */
export async function strongroom(directory: string, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  return ended(
    spawn(process.execPath, [BIN, ...args], {
      cwd: directory,
      env: { PATH: process.env['PATH'], HOME: directory, ...options.environment },
    }),
    options,
  )
}

/** Runs a line of shell in a folder; `strongroom` is found. */
export async function shell(directory: string, line: string, options: CommandOptions = {}): Promise<Ended> {
  return ended(
    spawn('bash', ['--norc', '-c', `${FUNCTION}\n${line}`], { cwd: directory, env: { PATH: process.env['PATH'], HOME: directory } }),
    options,
  )
}

/** Makes a shell know the command. */
export const FUNCTION = `strongroom() { "${process.execPath}" "${BIN}" "$@"; }`

async function ended(child: ChildProcess, { input = '', onStderr }: CommandOptions): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString()
    onStderr?.(stderr, child)
  })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? -1, stdout, stderr }))
  })
}
