// Ends the process by SIGKILL just before it would make the call that DIE_BEFORE names, such as `deleteMany accounts`.
import { Collection } from 'mongodb'

const [method, collection] = process.env.DIE_BEFORE.split(' ')
const original = Collection.prototype[method]
Collection.prototype[method] = function (...given) {
  if (this.collectionName === collection) process.kill(process.pid, 'SIGKILL')
  return original.apply(this, given)
}
