// The part `mongoose` of bench/RESULTS.md.
import { readFileSync } from 'node:fs'

import { machine } from '../results.mjs'

/** @param measured - what each process printed, with its name */
export function report({ server, count, rounds, measured }) {
  const { dependencies } = JSON.parse(readFileSync(new URL('peers/on-8/package.json', import.meta.url), 'utf8'))
  const columns = measured.flatMap(({ mongoose, rows }) =>
    Object.keys(Object.values(rows)[0]).map((name) => ({ name, mongoose, of: (what) => rows[what][name] })),
  )
  const names = Object.keys(measured[0].rows)
  return [
    '# Mongoose',
    '',
    `Written by \`npm run bench:mongoose\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}; server: ${server}, on the same machine.`,
    `\`mongoose-encryption\` ${dependencies['mongoose-encryption']}, \`mongoose-field-encryption\` ${dependencies['mongoose-field-encryption']}.`,
    '',
    `${count} documents with the six encrypted strings of the chapter on MongoDB, each of another person: saved with \`new Model(x).save()\`, inserted at once, found as documents and lean.`,
    'A ratio is the time of a round divided by that of plain Mongoose of the same version, in the same process and the same round: median (quartiles). A round of saving has a hundredth of',
    `the documents, and there are 100; of \`insertMany\` there are ${Math.min(rounds, 7)}, of the others ${rounds}. Garbage is collected before each.`,
    'Each plugin runs on the newest Mongoose that it works on. Both of the others allow 9 in their `peerDependencies`; there `insertMany` of `mongoose-field-encryption`',
    'throws `docs is not iterable`, and a `save` with `mongoose-encryption` ends the process with `cb is not a function`, so that theirs is 8 ([claims.mjs](mongoose/claims.mjs) runs both).',
    'Ours has a key for each person, which is in memory but in the last column of its, where each document is the first of a person and a key is made and stored for it; 100 people beside it.',
    '"By hand" is no library, and no key a person: each of the six values of a document sealed by AES-256-GCM of `node:crypto` under one key, in a loop around plain Mongoose ([by-hand.mjs](mongoose/by-hand.mjs)):',
    'what is between 1 and that is the price of six authenticated values on this machine, whoever seals them.',
    'Ours has a blind index on the e-mail address, plain Mongoose and `mongoose-field-encryption` an ordinary one (on ciphertext that is different each time, which finds nothing),',
    '`mongoose-encryption` none, since it keeps all six in one value. What a row says in place of a figure is what happened: the stored bytes were searched for each value, and what was',
    'found was compared with what was saved.',
    'Where documents are found, `mongoose-encryption` opens one ciphertext for each of them, and ours six, each with a nonce, a derived key and a tag of its own, so that each can be read, written and found by itself.',
    '',
    `| | ${columns.map(({ name }) => name).join(' | ')} |`,
    `| --- | ${columns.map(() => '---').join(' | ')} |`,
    `| Mongoose | ${columns.map(({ mongoose }) => mongoose).join(' | ')} |`,
    ...names.map((what) => `| ${what} | ${columns.map(({ of }) => figure(of(what))).join(' | ')} |`),
    '',
    'Milliseconds of a round, with those of plain Mongoose beside it in brackets; medians.',
    '',
    `| | ${columns.map(({ name }) => name).join(' | ')} |`,
    `| --- | ${columns.map(() => '---').join(' | ')} |`,
    ...names.map((what) => `| ${what} | ${columns.map(({ of }) => milliseconds(of(what))).join(' | ')} |`),
    '',
  ].join('\n')
}

function figure(row) {
  if (row === undefined) return ''
  return row.says ?? `${row.ratio.toFixed(2)} (${row.lower.toFixed(2)}–${row.upper.toFixed(2)})`
}

function milliseconds(row) {
  return row?.ms === undefined ? '' : `${row.ms.toFixed(0)} (${row.plain.toFixed(0)})`
}
