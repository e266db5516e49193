// A real terminal: a pseudo-terminal that a command runs in, and a screen that shows what a person would see.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import xterm from '@xterm/headless'

const OPEN_TERMINAL = fileURLToPath(new URL('open_terminal.py', import.meta.url))

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly environment?: Readonly<Record<string, string>>
}

export class Terminal {
  /** All that was written to the screen, escape sequences included. */
  raw = ''
  /** The exit code of the command. */
  readonly ended: Promise<number>
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #screen: InstanceType<typeof xterm.Terminal>
  #hasEnded = false

  constructor(command: string, directory: string, { columns = 80, rows = 50, environment = {} }: TerminalOptions = {}) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 })
    this.#process = spawn('python3', [OPEN_TERMINAL, String(columns), String(rows), 'bash', '--norc', '-c', command], {
      cwd: directory,
      env: { PATH: process.env['PATH'], HOME: directory, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let errors = ''
    this.#process.stderr.on('data', (data: Buffer) => (errors += data.toString()))
    this.#process.stdout.on('data', (data: Buffer) => {
      this.raw += data.toString()
      this.#screen.write(data)
    })
    this.ended = new Promise((resolve, reject) => {
      this.#process.on('error', reject)
      this.#process.on('close', (code) => {
        this.#hasEnded = true
        if (errors === '') resolve(code ?? -1)
        else reject(new Error(errors))
      })
    })
    this.ended.catch(() => undefined)
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  type(text: string): void {
    this.#process.stdin.write(text)
  }

  /** Takes the terminal away, as a window that is closed. */
  close(): void {
    this.#process.kill('SIGKILL')
  }

  /** The lines of the screen with what has scrolled away, as they stand now; a line that the terminal had to wrap begins with `↪`. */
  async lines(): Promise<readonly string[]> {
    await new Promise<void>((resolve) => this.#screen.write('', resolve))
    const { active } = this.#screen.buffer
    const lines = Array.from({ length: active.length }, (_, i) => {
      const line = active.getLine(i)
      return `${line?.isWrapped === true ? '↪' : ''}${line?.translateToString(true) ?? ''}`
    })
    while (lines.at(-1) === '') lines.pop()
    return lines
  }

  /** Waits until the screen shows something. Fails once the command has ended without it. */
  async until(shown: RegExp): Promise<void> {
    for (;;) {
      const hadEnded = this.#hasEnded
      const text = (await this.lines()).join('\n')
      if (shown.test(text)) return
      if (hadEnded) throw new Error(`the command ended, and never showed ${shown}:\n${text}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Waits for a question, then answers it. */
  async answer(question: RegExp, answer: string): Promise<void> {
    await this.until(question)
    this.type(answer)
  }
}
