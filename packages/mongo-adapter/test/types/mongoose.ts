// Type tests: what Mongoose infers from a schema is the same with marks as without. Compiled by `npm run typecheck`; nothing here runs.
import type { Vault } from '@strongroom/core'
import { encryptedFields } from '@strongroom/mongo-adapter/mongoose'
import { type HydratedDocument, type InferSchemaType, model, type Model, Schema, type Types } from 'mongoose'

declare const vault: Vault

type Box<T> = { readonly of: T; readonly to: (value: T) => void }
/** Whether each can stand for the other, both ways. */
type Same<A, B> = [Box<A>] extends [Box<B>] ? ([Box<B>] extends [Box<A>] ? true : false) : false

const plain = new Schema({
  orgId: { type: String, required: true },
  email: { type: String, required: true, unique: true },
  name: String,
  kind: { type: String, enum: ['a', 'b'] as const },
  born: Date,
  size: { type: Number, default: 1 },
  tags: [String],
  facts: { type: Map, of: String },
  notes: [{ title: String, text: String }],
  address: new Schema({ city: String, street: { type: String, required: true } }),
  friend: { type: Schema.Types.ObjectId, ref: 'User' },
  photo: Buffer,
})
const marked = new Schema({
  orgId: { type: String, required: true },
  email: { type: String, required: true, unique: true, encrypted: { index: { scope: 'application', normalize: 'email' } } },
  name: { type: String, encrypted: true },
  kind: { type: String, enum: ['a', 'b'] as const, encrypted: { padded: true } },
  born: { type: Date, encrypted: true },
  size: { type: Number, default: 1, encrypted: { index: { scope: 'tenant' } } },
  tags: [{ type: String, encrypted: true }],
  facts: { type: Map, of: String, encrypted: true },
  notes: [{ title: String, text: { type: String, encrypted: true } }],
  address: new Schema({ city: String, street: { type: String, required: true, encrypted: true } }),
  friend: { type: Schema.Types.ObjectId, ref: 'User', encrypted: true },
  photo: { type: Buffer, encrypted: true },
})
marked.plugin(encryptedFields, { vault, tenant: 'orgId', subject: '_id' })
// @ts-expect-error: the subject is missing
marked.plugin(encryptedFields, { vault, tenant: 'orgId' })
// @ts-expect-error: no such way
marked.plugin(encryptedFields, { vault, tenant: 'orgId', subject: '_id', shredded: 'hide' })

type Plain = InferSchemaType<typeof plain>
type Marked = InferSchemaType<typeof marked>

export function inferred(): void {
  const all: Same<Plain, Marked> = true
  const each: readonly [
    Same<Plain['email'], Marked['email']>,
    Same<Marked['email'], string>,
    Same<Plain['kind'], Marked['kind']>,
    Same<Plain['born'], Marked['born']>,
    Same<Plain['size'], Marked['size']>,
    Same<Plain['tags'], Marked['tags']>,
    Same<Plain['facts'], Marked['facts']>,
    Same<Plain['notes'], Marked['notes']>,
    Same<Plain['address'], Marked['address']>,
    Same<Plain['friend'], Marked['friend']>,
    Same<Plain['photo'], Marked['photo']>,
    Same<HydratedDocument<Plain>, HydratedDocument<Marked>>,
  ] = [true, true, true, true, true, true, true, true, true, true, true, true]
  // Which sees a difference.
  const less: Same<Plain, Omit<Marked, 'email'>> = false
  const other: Same<Plain['name'], Marked['size']> = false
  void [all, each, less, other]
}

export async function models(): Promise<void> {
  const Users = model('User', marked)
  const users: Model<Marked> = Users as unknown as Model<Marked>
  const user = await users.findOne({ email: 'x' }).setOptions({ shredded: 'mark' }).orFail()
  // @ts-expect-error: no such way
  await users.find().setOptions({ shredded: 'hide' })
  const name: string | null | undefined = user.name
  const street: string | undefined = user.address?.street
  const [note] = user.notes
  const text: string | null | undefined = note?.text
  const friend: Types.ObjectId | null | undefined = user.friend
  const made = new Users({ orgId: 'acme', email: 'x', kind: 'a' })
  const email: string = made.email
  void [name, street, text, friend, email]
  // @ts-expect-error: no such path
  void user.nmae
  // @ts-expect-error: a value of another type
  user.born = 5
  // @ts-expect-error: none of those
  user.kind = 'c'
}
