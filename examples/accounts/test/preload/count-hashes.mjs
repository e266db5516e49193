// Says of each password that is compared what the comparison costs.
import { createRequire } from 'node:module'

const argon2 = createRequire(import.meta.url)('@node-rs/argon2')
const { verify } = argon2
argon2.verify = (stored, password) => {
  console.log(`compared ${stored.split('$').slice(1, 4).join(' ')} ${stored.length}`)
  return verify(stored, password)
}
