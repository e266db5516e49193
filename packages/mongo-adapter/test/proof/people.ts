// Documents whose every encrypted value is a canary, and the schema that says so.
import { encrypted } from '@strongroom/mongo-adapter'
import { Binary, Decimal128, Long } from 'mongodb'
import { z } from 'zod'

import { type Canary, needlesOf } from './forms.ts'

export const Person = z.object({
  _id: z.string(),
  orgId: z.string(),
  plan: z.string().optional(),
  email: encrypted(z.string(), { index: { scope: 'application', unique: true, normalize: 'email' } }).nullish(),
  name: encrypted(z.string()).optional(),
  nick: encrypted(z.string(), { index: { scope: 'tenant', normalize: 'text' } }).optional(),
  pin: encrypted(z.number(), { index: { scope: 'tenant' } }).optional(),
  salary: encrypted(z.number()).optional(),
  ratio: encrypted(z.number()).optional(),
  serial: encrypted(z.instanceof(Long), { index: { scope: 'application' } }).optional(),
  born: encrypted(z.date(), { index: { scope: 'tenant' } }).optional(),
  weight: encrypted(z.instanceof(Decimal128)).optional(),
  photo: encrypted(z.instanceof(Binary)).optional(),
  file: encrypted(z.object({ diagnosis: z.string(), codes: z.array(z.number()) })).optional(),
  address: z.object({ street: encrypted(z.string()), city: z.string() }).optional(),
  phones: z.array(encrypted(z.string(), { index: { scope: 'tenant', normalize: 'phone' } })).optional(),
  notes: z.array(z.object({ title: z.string(), text: encrypted(z.string(), { index: { scope: 'tenant' } }) })).optional(),
})
export type Person = z.output<typeof Person>

export const ada: Person = {
  _id: 'ada',
  orgId: 'acme',
  plan: 'pro',
  email: 'Ada.Q7x4@Zwetschge-Q7x4.example',
  name: 'Ångström Q7x4 Lovelace',
  nick: 'Countess  Q7x4',
  pin: 1_837_465_029,
  salary: 83_746_502_917_463,
  ratio: 0.837465029174,
  serial: Long.fromString('8374650291746502917'),
  born: new Date('1957-03-21T04:05:06.789Z'),
  weight: Decimal128.fromString('83.7465029174650291'),
  photo: new Binary(Uint8Array.from({ length: 24 }, (_, i) => (i * 73 + 201) % 256)),
  file: { diagnosis: 'Melancholia Q7x4', codes: [746_502_917] },
  address: { street: 'Marylebone Q7x4 12', city: 'London' },
  phones: ['+44 20 7946 0371', '+44 (20) 7946-0372'],
  notes: [{ title: 'one', text: 'Analytical Q7x4 engine' }],
}

export const bob: Person = {
  _id: 'bob',
  orgId: 'acme',
  plan: 'free',
  email: 'bob.k9w2@quitte-k9w2.example',
  name: 'Robert K9w2 Boole',
  pin: 1_564_738_291,
  phones: ['+49 30 23125 482'],
}

export const eve: Person = {
  _id: 'eve',
  orgId: 'rival',
  plan: 'free',
  email: 'eve.m3v8@mispel-m3v8.example',
  name: 'Evelyn M3v8',
  pin: 1_564_738_291,
}

const PLAIN = new Set(['_id', 'orgId', 'plan', 'city', 'title'])

/** What is searched for, written, or refused, but stands in no document at the beginning. */
export const ghost = {
  email: 'Ghost.T5r1@Schlehe-T5r1.example',
  name: 'Casper T5r1 Ghost',
  nick: 'Boo T5r1',
  pin: 1_029_384_756,
  phone: '+33 1 70 18 06 45',
  text: 'Hauntology T5r1',
  street: 'Rue T5r1 Morgue 9',
  born: new Date('1941-11-29T21:22:23.456Z'),
}

export const CANARIES: readonly Canary[] = [ada, bob, eve, ghost].flatMap((each, i) =>
  canariesOf(['ada', 'bob', 'eve', 'ghost'][i] as string, each),
)
export const NEEDLES = needlesOf(CANARIES)

function canariesOf(name: string, value: unknown): readonly Canary[] {
  if (value instanceof Long) return [{ name, value: value.toBigInt() }]
  if (value instanceof Decimal128)
    return [
      { name, value: value.bytes },
      { name: `${name} as text`, value: value.toString() },
    ]
  if (value instanceof Binary) return [{ name, value: value.value() }]
  if (typeof value !== 'object' || value === null || value instanceof Date) return [{ name, value: value as string }]
  return Object.entries(value).flatMap(([key, inner]) => (PLAIN.has(key) ? [] : canariesOf(`${name}.${key}`, inner)))
}
