// `npm run bench:pseudonyms`: addresses a second, beside libsodium; writes the part `pseudonyms` of bench/RESULTS.md.
import { machine, writePart } from '../results.mjs'
import { addresses } from './addresses.mjs'

const text = [
  '# Pseudonyms',
  '',
  `Written by \`npm run bench:pseudonyms\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
  '',
  ...(await addresses()),
].join('\n')
console.log(text)
writePart('pseudonyms', text)
