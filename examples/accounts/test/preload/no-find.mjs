// Lets no search of the accounts begin.
import { Collection } from 'mongodb'

const { find } = Collection.prototype
Collection.prototype.find = function (...given) {
  if (this.collectionName === 'accounts') throw new Error('as the test wants it')
  return find.apply(this, given)
}
