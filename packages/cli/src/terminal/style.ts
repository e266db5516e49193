/** Colour, where the stream is a terminal that has it and nobody asked for none. */

import { styleText } from 'node:util'
import type { WriteStream } from 'node:tty'

/** What a word means, not how it looks. */
export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'warning' | 'bad'

export type Style = (tone: Tone, text: string) => string

const LOOKS = { strong: 'bold', faint: 'dim', good: 'green', warning: 'yellow', bad: 'red' } as const

/** @param stream - Node knows of it whether it has colours: `NO_COLOR` and a dumb terminal have none */
export function styleFor(stream: WriteStream): Style {
  const coloured = stream.isTTY && stream.hasColors()
  return (tone, text) => (coloured && tone !== 'plain' ? styleText(LOOKS[tone], text, { validateStream: false }) : text)
}
