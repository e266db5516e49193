// Ends the process by SIGKILL just before it would make the call that DIE_BEFORE names, such as `deleteMany accounts`; of several, before the
// last, once the others were made in their order.
import { Collection } from 'mongodb'

const awaited = process.env.DIE_BEFORE.split(', ')
for (const method of new Set(awaited.map((call) => call.split(' ')[0]))) {
  const original = Collection.prototype[method]
  Collection.prototype[method] = function (...given) {
    if (awaited[0] === `${method} ${this.collectionName}`) awaited.shift()
    if (awaited.length === 0) process.kill(process.pid, 'SIGKILL')
    return original.apply(this, given)
  }
}
