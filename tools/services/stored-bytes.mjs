// Searches all that the databases hold, as whoever has stolen them would: by a client that knows nothing of encryption.
import { createHash } from 'node:crypto'

/** The databases of the service. */
export const databasesOf = (database) => [database, `${database}_keys`, `${database}_state`]

/** Every document, and what the database knows of its collections, as `{ where, bytes }`. */
export async function storedBytes(client, database) {
  const stored = []
  for (const name of databasesOf(database)) {
    const db = client.db(name)
    for (const info of await db.listCollections().toArray()) {
      const collection = db.collection(info.name)
      stored.push({
        where: `${name}.${info.name}, its description`,
        bytes: Buffer.from(JSON.stringify([info, await collection.indexes()])),
      })
      for (const bytes of await collection.find({}, { raw: true }).toArray()) stored.push({ where: `${name}.${info.name}`, bytes })
    }
  }
  return stored
}

/** Where which of the secrets is found, and in which form. Of `tokens` hashes may be stored: nobody guesses what they are of. */
export function findSecrets(stored, secrets, tokens = []) {
  const forms = [
    ...secrets.map((secret) => [secret, formsOf(secret, ['md5', 'sha1', 'sha256', 'sha512'])]),
    ...tokens.map((token) => [token, formsOf(token, [])]),
  ]
  const needles = forms.flatMap(([secret, all]) => all.map(([form, bytes]) => ({ secret, form, bytes })))
  return stored.flatMap(({ where, bytes }) =>
    needles.filter((needle) => bytes.includes(needle.bytes)).map(({ secret, form }) => ({ where, secret, form })),
  )
}

// As it is, in small and in capital letters: each in every encoding, and as hashes without a key, which who guesses could compare.
function formsOf(secret, hashNames) {
  return [...new Set([secret, secret.toLowerCase(), secret.toUpperCase()])].flatMap((text) => {
    const utf8 = Buffer.from(text)
    const hashes = hashNames.map((name) => [name, createHash(name).update(text).digest()])
    return [
      ['UTF-16', Buffer.from(text, 'utf16le')],
      ['UTF-16 BE', Buffer.from(text, 'utf16le').swap16()],
      ...[['UTF-8', utf8], ...hashes].flatMap(([name, bytes]) => [[name, bytes], ...printed(name, bytes)]),
    ]
  })
}

function printed(name, bytes) {
  const hex = bytes.toString('hex')
  const forms = [
    [`${name} in hex`, hex],
    [`${name} in capital hex`, hex.toUpperCase()],
  ]
  for (const shift of [0, 1, 2]) {
    // Only what does not depend on the bytes around it.
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '')
    const inner = whole.slice(shift === 0 ? 0 : shift + 1, whole.length - 2)
    forms.push([`${name} in base64`, inner], [`${name} in base64url`, inner.replaceAll('+', '-').replaceAll('/', '_')])
  }
  return forms.map(([form, text]) => [form, Buffer.from(text)])
}
