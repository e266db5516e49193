/** How wide a terminal is. */

import type { WriteStream } from 'node:tty'

const DEFAULT_COLUMNS = 80

/** At least 1. A stream that is no terminal, and a terminal that does not know, count as one of 80. */
export function columnsOf(stream: Pick<WriteStream, 'columns' | 'isTTY'>): number {
  return stream.isTTY ? Math.max(1, stream.columns || DEFAULT_COLUMNS) : DEFAULT_COLUMNS
}
