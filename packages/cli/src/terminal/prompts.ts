/** Questions in the terminal. They are asked on stderr: stdout may be a pipe. No escape sequences: any terminal will do. */

import { StringDecoder } from 'node:string_decoder'

import { Secret } from '@strongroom/core'

import { CliError, Interrupted } from '../cli-error.ts'
import type { System } from '../system.ts'
import { shown } from './shown.ts'

export interface Prompts {
  /** Whether there is anyone to ask. */
  readonly isPossible: boolean
  /** Whether a question is open: nothing else is under way then. */
  readonly isAsking: boolean
  /** Without echo, not even of its length. @throws Interrupted at Ctrl-C, and at the end of the input */
  passphrase(message: string): Promise<Secret<string>>
  /** Asked twice. @throws CliError `passphrase_unusable` where the two differ; Interrupted */
  newPassphrase(message: string): Promise<Secret<string>>
  /**
   * A line that is typed after the question is there: whatever was typed before is thrown away.
   *
   * @returns without blanks around it. @throws Interrupted at Ctrl-C, and at the end of the input
   */
  line(message: string): Promise<string>
}

// Typed ahead is what is there already: it comes at once.
const QUIET_MS = 100
const LONGEST_DRAIN_MS = 2000
const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_U = '\u0015'
const BACKSPACES = ['\u007F', '\b']
// Arrows, and the marks around what is pasted.
const ESCAPE = '\u001B'
const AFTER_ESCAPE = /^(?:\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z]|[^[O])?/
const UNREADABLE = '\uFFFD'

export function terminalPrompts(system: Pick<System, 'stdin' | 'stderr' | 'onQuit' | 'endBy'>, signal: AbortSignal): Prompts {
  const { stdin, stderr } = system
  const decoder = new StringDecoder('utf8')
  // What was typed beyond the end of a line: the answer to the next question.
  let ahead = ''
  let isAsking = false

  /** Reads until `take` has an answer, or enough was read. @param raw - without echo, every key at once */
  const read = async <T>(
    raw: boolean,
    take: (text: string) => T | undefined,
    { question = '', enough }: { readonly question?: string; readonly enough?: AbortSignal },
  ): Promise<T | undefined> => {
    signal.throwIfAborted()
    // Of a terminal that is gone errors come at any time.
    if (stdin.listenerCount('error') === 0) stdin.on('error', () => undefined)
    stdin.setRawMode(raw)
    const stopListening = system.onQuit(() => {
      stdin.setRawMode(false)
      system.endBy('SIGQUIT')
    })
    // Not before: what is typed at once would be shown.
    stderr.write(shown(question))
    try {
      return await new Promise<T | undefined>((resolve, reject) => {
        const settle = (act: () => void): void => {
          stdin.off('data', onData).off('end', onEnd).off('error', onEnd)
          signal.removeEventListener('abort', onEnd)
          enough?.removeEventListener('abort', onEnough)
          act()
        }
        const onEnd = (): void => settle(() => reject(new Interrupted('interrupted')))
        const onEnough = (): void => settle(() => resolve(undefined))
        const onData = (data: Buffer | string): void => {
          try {
            const taken = take(typeof data === 'string' ? data : decoder.write(data))
            if (taken !== undefined) settle(() => resolve(taken))
          } catch (error) {
            settle(() => reject(error))
          }
        }
        stdin.on('data', onData).on('end', onEnd).on('error', onEnd)
        signal.addEventListener('abort', onEnd)
        enough?.addEventListener('abort', onEnough)
        stdin.resume()
        if (stdin.readableEnded || stdin.destroyed) onEnd()
        else if (ahead !== '') {
          const text = ahead
          ahead = ''
          onData(text)
        }
      })
    } finally {
      stopListening()
      stdin.pause()
      stdin.setRawMode(false)
    }
  }

  const answerTo = async <T>(question: string, raw: boolean, take: (text: string) => T | undefined): Promise<T> => {
    isAsking = true
    try {
      const taken = await read(raw, take, { question })
      if (taken === undefined) throw new Interrupted('interrupted')
      return taken
    } finally {
      isAsking = false
    }
  }

  /** Throws away what was typed before now. */
  const drain = async (): Promise<void> => {
    ahead = ''
    const until = performance.now() + LONGEST_DRAIN_MS
    let quietSince = performance.now()
    const watch = (text: string): undefined => {
      if (text.includes(CTRL_C)) throw new Interrupted('interrupted')
      quietSince = performance.now()
    }
    const quiet = new AbortController()
    const timer = setInterval(() => {
      if (performance.now() - quietSince >= QUIET_MS || performance.now() >= until) quiet.abort()
    }, QUIET_MS / 4)
    try {
      await read(true, watch, { enough: quiet.signal })
    } finally {
      clearInterval(timer)
    }
  }

  const typed = async (message: string): Promise<string> => {
    const editor = new HiddenLine()
    const take = (text: string): string | undefined => {
      const rest = editor.type(text)
      if (rest === undefined) return undefined
      ahead = rest
      return editor.text
    }
    const passphrase = await answerTo(`${message}: `, true, take).finally(() => stderr.write('\n'))
    if (!passphrase.includes(UNREADABLE)) return passphrase
    stderr.write('That is not UTF-8; set the terminal to it.\n')
    return typed(message)
  }

  const passphrase = async (message: string): Promise<Secret<string>> => {
    for (;;) {
      const text = await typed(message)
      if (text !== '') return new Secret(text)
      stderr.write('It must not be empty.\n')
    }
  }

  return {
    isPossible: stdin.isTTY && stderr.isTTY,
    get isAsking() {
      return isAsking
    },
    passphrase,
    async newPassphrase(message) {
      const first = await passphrase(message)
      const again = await passphrase(`${message}, again`)
      if (first.reveal() !== again.reveal()) throw new CliError('passphrase_unusable', 'the two passphrases differ; nothing was made')
      return first
    },
    async line(message) {
      await drain()
      let line = ''
      // The terminal itself edits and shows the line.
      return answerTo(message, false, (text) => {
        line += text
        return line.includes('\n') ? line.slice(0, line.indexOf('\n')).trim() : undefined
      })
    },
  }
}

/** A line that is typed and not shown. */
class HiddenLine {
  #characters: string[] = []

  get text(): string {
    return this.#characters.join('')
  }

  /** @returns what is left beyond the end of the line; `undefined` where it has not ended. @throws Interrupted */
  type(text: string): string | undefined {
    for (let rest = text; rest !== '';) {
      const sequence = rest.startsWith(ESCAPE) ? AFTER_ESCAPE.exec(rest.slice(1))?.[0] : undefined
      const key = sequence === undefined ? String.fromCodePoint(rest.codePointAt(0) ?? 0) : ESCAPE + sequence
      rest = rest.slice(key.length)
      if (key === '\r' || key === '\n') return rest
      if (key === CTRL_C || (key === CTRL_D && this.#characters.length === 0)) throw new Interrupted('interrupted')
      if (key === CTRL_U) this.#characters = []
      else if (BACKSPACES.includes(key)) this.#characters.pop()
      else if (!/^\p{Cc}/u.test(key)) this.#characters.push(key)
    }
    return undefined
  }
}
