import { randomBytes } from '@strongroom/core'

/** A name that nobody has used: 16 random bytes, 32 hexadecimal digits. */
export function newId(): string {
  return Buffer.from(randomBytes(16)).toString('hex')
}
