// Type tests: what Mongoose infers from a schema is the same with marks as without. Compiled by `npm run typecheck`; nothing here runs.
import type { Vault } from '@strongroom/core'
import { encryptedFields } from '@strongroom/mongo-adapter/mongoose'
import { type HydratedDocument, type InferSchemaType, model, type Model, Schema, type Types } from 'mongoose'

declare const vault: Vault

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <_ extends true>(): void => undefined

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
  same<Same<Plain, Marked>>()
  for (const check of [
    same<Same<Plain['email'], Marked['email']>>,
    same<Same<Marked['email'], string>>,
    same<Same<Plain['kind'], Marked['kind']>>,
    same<Same<Plain['born'], Marked['born']>>,
    same<Same<Plain['size'], Marked['size']>>,
    same<Same<Plain['tags'], Marked['tags']>>,
    same<Same<Plain['facts'], Marked['facts']>>,
    same<Same<Plain['notes'], Marked['notes']>>,
    same<Same<Plain['address'], Marked['address']>>,
    same<Same<Plain['friend'], Marked['friend']>>,
    same<Same<Plain['photo'], Marked['photo']>>,
    same<Same<HydratedDocument<Plain>, HydratedDocument<Marked>>>,
  ])
    check()
  // @ts-expect-error: it would see a difference
  same<Same<Plain, Omit<Marked, 'email'>>>()
}

export async function models(): Promise<void> {
  const Users = model('User', marked)
  const users: Model<Marked> = Users as unknown as Model<Marked>
  const user = await users.findOne({ email: 'x' }).orFail()
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
