// For `node --import`: from here on nothing can load node:crypto, by import, require or process.getBuiltinModule.
import Module, { register } from 'node:module'

const REFUSAL = 'node:crypto is not allowed in this process'
const banned = (name) => name === 'crypto' || name === 'node:crypto'

register(
  'data:text/javascript,' +
    encodeURIComponent(`
  export function resolve(specifier, context, next) {
    if (specifier === 'crypto' || specifier === 'node:crypto') throw new Error(${JSON.stringify(REFUSAL)})
    return next(specifier, context)
  }
`),
)

for (const [holder, name] of [
  [Module, '_load'],
  [process, 'getBuiltinModule'],
]) {
  const original = holder[name]
  if (original === undefined) continue
  holder[name] = function (specifier, ...rest) {
    if (banned(specifier)) throw new Error(REFUSAL)
    return original.call(this, specifier, ...rest)
  }
}
