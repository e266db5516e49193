// `npm run bench:pseudonyms`: addresses a second, beside libsodium, and lines of a log; writes the part `pseudonyms` of bench/RESULTS.md.
import { machine, writePart } from '../results.mjs'
import { addresses } from './addresses.mjs'
import { lines } from './lines.mjs'

const text = [
  '# Pseudonyms',
  '',
  `Written by \`npm run bench:pseudonyms\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
  '',
  ...(await addresses()),
  ...(await lines()),
].join('\n')
console.log(text)
writePart('pseudonyms', text)
