/** What the parser says of wrong use, without the values: one that was given in the wrong place may be a passphrase. */

/** @param message - of a CommanderError. @returns one line */
export function wrongUseMessage(message: string): string {
  return (
    message
      .replace(/^error: /, '')
      .replace(/^(unknown option '-[^=']*)=[^\n]*'/, "$1'")
      // A short option, and what stands on to it: -phunter2.
      .replace(/^(unknown option '-[^-])[^\n]*?'(?= \(Did you mean|$)/u, "$1'")
      .replace(/ argument '[^\n]*' is invalid\. /, ' has an argument that is invalid: ')
  )
}
