// The part `peers` of bench/RESULTS.md.
import { readFileSync } from 'node:fs'

import { machine } from '../results.mjs'

/** The name under which a peer is compared to our awaited call. */
export function awaited(name) {
  return `${name}, awaited`
}

/**
 * @param others - as of peers.mjs
 * @param rows - `{ size, encrypt, decrypt }` each, with one person
 * @param people - the same with `count` of them
 */
export function report(others, rows, people) {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  const names = Object.keys(others)
  const asynchronous = names.filter((name) => others[name].asynchronous)
  const forms = (name) => (others[name].asynchronous ? [name, awaited(name)] : [name])
  return [
    '# Peers',
    '',
    `Written by \`npm run bench:peers\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
    `${Object.keys(dependencies)
      .map((name) => `\`${name}\` ${dependencies[name]}`)
      .join(', ')}.`,
    '',
    'One field of text of one person, again and again, a value bound to its collection, field and record; all of the others have one key, or one keyring, for everybody.',
    'The last table is of many people. A ratio is the time of ours divided by theirs, the median over the rounds, with the quartiles in brackets: below 1, ours is faster. Microseconds are the lower quartile.',
    'Like is compared with like: with those that store text, ours makes text (`encryptedToText`), with the others bytes. "Awaited" are our',
    '`subject.encrypt` and `subject.decrypt`, awaited call by call, beside those whose calls are asynchronous; elsewhere ours is `keys.encrypt` and `keys.decrypt` after one `unlock()`.',
    'Each peer is used in the fastest way that we found for it ([peers.mjs](peers/peers.mjs)).',
    '',
    '## Where ours takes longer',
    '',
    '| | what it does | encrypt | decrypt | encrypt, ours awaited | decrypt, ours awaited |',
    '| --- | --- | --- | --- | --- | --- |',
    ...names.map((name) => {
      const cells = forms(name).flatMap((form) => [behind(rows, 'encrypt', form), behind(rows, 'decrypt', form)])
      return `| ${name} | ${others[name].does} | ${cells.join(' | ')} |${others[name].asynchronous ? '' : ' | |'}`
    }),
    '',
    'Why: for each value ours derives a key of its own (XAES-256-GCM, an extra call of AES), authenticates collection, field and record, checks states and the',
    'cache bound, and parses by a schema; that is some two to three microseconds, which show while the value is short. Where the peer is one bare call of a weaker mode',
    '(AES-CBC) or does not go through an OpenSSL cipher object at all (libsodium), they are the difference. Our awaited call finds the key by its',
    'names each time, with an HMAC for each; batches are what `unlock()` is for.',
    '',
    ...table('Encrypt', rows, 'encrypt', names),
    ...table('Decrypt', rows, 'decrypt', names),
    ...table('Encrypt, ours awaited', rows, 'encrypt', asynchronous, awaited),
    ...table('Decrypt, ours awaited', rows, 'decrypt', asynchronous, awaited),
    '## Each value of another person',
    '',
    `${people.count} people in turn, ${people.size} B each. Ours is \`(await subject.unlock()).encrypt(…)\` or \`.decrypt(…)\`, a key for each of them, which the vault has in its cache already;`,
    'of the others only `@aws-crypto/client-node` has keys for each value or, cached, for each record. Ours takes longer than those with one key at hand, because each value needs its',
    "person's key: an HMAC of the name to find it, a look at the age and state of each key on the way, two awaited calls, and a handle that can be disposed of.",
    '',
    ...head('', names),
    ...['encrypt', 'decrypt'].map((what) => line(what, people[what], ['bytes', 'text'], names)),
    '',
  ].join('\n')
}

// The medians of one direction where ours took longer, `64 B 1.24, …`.
function behind(rows, what, name) {
  const found = rows.map(({ size, [what]: row }) => ({ size, ratio: row[name].ratio })).filter(({ ratio }) => ratio >= 1)
  return found.map(({ size, ratio }) => `${size} B ${ratio.toFixed(2)}`).join(', ') || 'nowhere'
}

function table(title, rows, what, names, key = (name) => name) {
  const own = key === awaited ? ['bytesAwaited', 'textAwaited'] : ['bytes', 'text']
  return [
    `## ${title}`,
    '',
    ...head('bytes a field', names),
    ...rows.map(({ size, [what]: row }) => line(size, row, own, names.map(key))),
    '',
  ]
}

function head(first, names) {
  return [
    `| ${first} | ours, µs | ours as text, µs | ${names.map((name) => `to ${name}`).join(' | ')} |`,
    `| --- | --- | --- | ${names.map(() => '---').join(' | ')} |`,
  ]
}

function line(first, row, own, names) {
  const times = own.map((form) => (row[form].ns / 1000).toFixed(2))
  return `| ${first} | ${times.join(' | ')} | ${names.map((name) => shown(row[name])).join(' | ')} |`
}

function shown({ ratio, lower, upper }) {
  return `${ratio.toFixed(3)} (${lower.toFixed(3)}–${upper.toFixed(3)})`
}
