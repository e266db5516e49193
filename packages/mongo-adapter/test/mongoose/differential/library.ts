// Models that refer to each other, and models of several kinds: what Mongoose's own tests populate and discriminate.
import { Schema } from 'mongoose'

import { CANARY } from '../heard.ts'
import { chosen } from './seen.ts'
import type { Clock, Definitions, Mark } from './sides.ts'

export function library(mark: Mark, clock: Clock): Definitions {
  const text = { type: String, ...mark() }
  const timestamps = { currentTime: clock }
  const author = new Schema(
    { _id: String, orgId: String, name: text, mentor: { type: String, ref: 'Author' }, born: { type: Number, ...mark() } },
    { timestamps, toJSON: { virtuals: true }, toObject: { virtuals: true } },
  )
  author.virtual('posts', { ref: 'Post', localField: '_id', foreignField: 'author' })
  author.virtual('latest', { ref: 'Post', localField: '_id', foreignField: 'author', justOne: true, options: { sort: { rank: -1 } } })
  author.virtual('postCount', { ref: 'Post', localField: '_id', foreignField: 'author', count: true })
  const comment = new Schema({ by: { type: String, ref: 'Author' }, text, likes: [{ type: String, ref: 'Author' }] })
  const post = new Schema(
    {
      orgId: String,
      owner: String,
      title: text,
      rank: Number,
      author: { type: String, ref: 'Author' },
      editors: [{ type: String, ref: 'Author' }],
      review: { by: { type: String, ref: 'Author' }, text },
      comments: [comment],
      about: { kind: String, item: { type: Schema.Types.Mixed, refPath: 'about.kind' } },
      authors: { type: Map, of: { type: String, ref: 'Author' } },
    },
    { timestamps },
  )
  const options = { discriminatorKey: 'kind' }
  const base = new Schema({ orgId: String, owner: String, note: text, author: { type: String, ref: 'Author' } }, { ...options, timestamps })
  const click = new Schema({ url: text, x: { type: Number, ...mark() } }, options)
  const sign = new Schema(
    { email: { type: String, lowercase: true, ...mark({ index: { scope: 'application' } }) }, plan: { type: String, default: 'free' } },
    options,
  )
  const shape = new Schema({ label: text }, { ...options, _id: false })
  const drawing = new Schema({ orgId: String, owner: String, shapes: [shape], main: shape, title: text })
  const shapes = drawing.path('shapes') as unknown as { discriminator(name: string, of: Schema, value?: string): unknown }
  const main = drawing.path('main') as unknown as typeof shapes
  for (const each of [shapes, main]) {
    each.discriminator('Circle', new Schema({ radius: { type: Number, ...mark() } }, { _id: false }), 'circle')
    each.discriminator('Square', new Schema({ side: Number, secret: text }, { _id: false }))
  }
  return {
    Author: { schema: author },
    Post: { schema: post, subject: 'owner' },
    Event: { schema: base, subject: 'owner', children: { Click: click, Sign: sign } },
    Drawing: { schema: drawing, subject: 'owner' },
  }
}

const authors = [
  { _id: 'ada', orgId: 'acme', name: `Ada ${CANARY}`, born: 1815 },
  { _id: 'bob', orgId: 'acme', name: `Bob ${CANARY}`, mentor: 'ada' },
  { _id: 'eve', orgId: 'acme', name: `Eve ${CANARY}`, mentor: 'bob' },
]
const own = { orgId: 'acme', owner: 'ada' }
export const click = { _id: chosen(201), ...own, kind: 'Click', note: `click ${CANARY}`, url: `url ${CANARY}`, x: 3, author: 'bob' }
export const sign = { _id: chosen(202), ...own, kind: 'Sign', note: `sign ${CANARY}`, email: `Sign-${CANARY}@example.com`, author: 'eve' }
const event = { _id: chosen(203), ...own, note: `event ${CANARY}`, author: 'ada' }
const posts = [
  {
    _id: chosen(101),
    ...own,
    title: `first ${CANARY}`,
    rank: 1,
    author: 'ada',
    editors: ['bob', 'eve', 'gone'],
    review: { by: 'eve', text: `review ${CANARY}` },
    comments: [
      { _id: chosen(111), by: 'bob', text: `comment ${CANARY}`, likes: ['ada', 'eve'] },
      { _id: chosen(112), by: 'gone', text: `other ${CANARY}` },
    ],
    about: { kind: 'Author', item: 'bob' },
    authors: { first: 'ada', second: 'eve' },
  },
  { _id: chosen(102), ...own, title: `second ${CANARY}`, rank: 2, author: 'ada', about: { kind: 'Event', item: chosen(201) } },
  { _id: chosen(103), ...own, title: `third ${CANARY}`, rank: 3, author: 'bob', editors: ['ada'] },
]
const drawing = {
  _id: chosen(301),
  ...own,
  title: `drawing ${CANARY}`,
  shapes: [
    { kind: 'circle', label: `round ${CANARY}`, radius: 4 },
    { kind: 'Square', label: `even ${CANARY}`, side: 5, secret: `secret ${CANARY}` },
    { label: `none ${CANARY}` },
  ],
  main: { kind: 'Square', label: `main ${CANARY}`, side: 1, secret: `inner ${CANARY}` },
}

export const LIBRARY = { Author: authors, Post: posts, Event: [event, click, sign], Drawing: [drawing] }
