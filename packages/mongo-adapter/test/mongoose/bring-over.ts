import { encryptedCollectionOf } from '@strongroom/mongo-adapter/mongoose'
import { type Model } from 'mongoose'

export async function bringOver<T>(User: Model<T>): Promise<void> {
  const plain = User.db.collection('users_plain')
  const users = encryptedCollectionOf(User)
  // Else what is there already could not be told from what was brought over.
  if ((await users.countDocuments()) > 0) throw new Error('the new collection is not empty')
  await User.createIndexes()
  // Numbers keep their types.
  const cursor = plain.find({}, { batchSize: 1000, promoteValues: false })
  while (await cursor.hasNext()) {
    const documents = cursor.readBufferedDocuments()
    try {
      await users.insertMany(documents as never[])
    } catch {
      // Which it is of them: those before it are there already.
      for (const document of documents) {
        if ((await users.countDocuments({ _id: document._id } as never)) > 0) continue
        await users.insertOne(document as never).catch((cause: unknown) => {
          throw new Error(`the document with _id ${JSON.stringify(document._id)} was not brought over`, { cause })
        })
      }
    }
  }
  if ((await plain.countDocuments()) !== (await users.countDocuments())) throw new Error('not all of them were brought over')
  await users.enforce()
}
