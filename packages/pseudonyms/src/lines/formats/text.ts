/** Lines of any kind: addresses wherever they stand. */

import type { LineFormat, Readers } from './format.ts'

export function textFormat({ scanner }: Readers): LineFormat {
  return {
    read(bytes, from, to, into) {
      scanner.text(bytes, from, to, into)
      return undefined
    },
  }
}
