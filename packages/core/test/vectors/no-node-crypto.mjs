// For `node --import`: from here on nothing can load node:crypto, by import, require or process.getBuiltinModule.
import Module from 'node:module'

const REFUSAL = 'node:crypto is not allowed in this process'
const banned = (name) => name === 'crypto' || name === 'node:crypto'

function resolve(specifier, context, next) {
  if (specifier === 'crypto' || specifier === 'node:crypto') throw new Error('node:crypto is not allowed in this process')
  return next(specifier, context)
}
// Node 20 has hooks in a thread of their own only, and Node 26 warns of those.
if (Module.registerHooks === undefined) Module.register(`data:text/javascript,${encodeURIComponent(`export ${resolve.toString()}`)}`)
else Module.registerHooks({ resolve })

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
