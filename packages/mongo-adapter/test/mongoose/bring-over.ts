import { encryptedCollectionOf } from '@strongroom/mongo-adapter/mongoose'
import { type Model } from 'mongoose'

export async function bringOver(User: Model<{ orgId: string; email: string }>): Promise<void> {
  const plain = User.db.collection<{ orgId: string; email: string }>('users_plain')
  const users = encryptedCollectionOf(User)
  await User.createIndexes()
  // Numbers keep their types.
  const cursor = plain.find({}, { batchSize: 1000, promoteValues: false })
  while (await cursor.hasNext()) await users.insertMany(cursor.readBufferedDocuments())
  if ((await plain.countDocuments()) !== (await users.countDocuments())) throw new Error('not all of them were brought over')
  await users.enforce()
}
