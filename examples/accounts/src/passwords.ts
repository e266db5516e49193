/** Passwords are kept as Argon2id hashes, and those under the person's key: a stolen database is no list of hashes to guess at. */

import { randomBytes } from 'node:crypto'

import { hash, verify } from '@node-rs/argon2'

// RFC 9106 calls for as much as a log-in can bear; OWASP's least: 19 MiB, 2 passes, 1 lane.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
// The hash of no known password, for addresses that nobody has.
const NOBODYS = `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${unpadded(randomBytes(16))}$${unpadded(randomBytes(32))}`

export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), COST)
}

/** Without a stored hash as much work, and `false`. */
export function passwordMatches(password: string, stored: string = NOBODYS): Promise<boolean> {
  return verify(stored, password.normalize('NFKC'))
}
