import type { Vault } from '@strongroom/core'
import type { EncryptedCollection } from '@strongroom/mongo-adapter'
import type { MongoClient } from 'mongodb'

import type { Where } from './accounts.mjs'

export const COUNT: number
export const SET_VALUES: readonly string[]
export const first: string

export interface Shared {
  _id: string
  orgId: string
  owner: string
  group: number
  code: string
  tokens?: string[]
  pushes?: number
  flip?: number
  turn: number
  register: string
  set?: string[]
}

/** Something that a process did, and what it was told. */
export interface Deed {
  readonly kind: 'push' | 'flip' | 'pull' | 'many' | 'bulk' | 'add' | 'register'
  /** The number of the document; of `many`, its group. */
  readonly i: number
  readonly token: string
  /** `conflict`, or how many documents it was told of. */
  readonly reached: number | 'conflict'
  readonly modified?: number
  readonly inserted?: number
  /** Of `register`: the turn that was taken, and what was there before. */
  readonly turn?: number
  readonly before?: string
  /** How often documents were looked up for it. */
  readonly looked: number
}

export function placeOf(i: number): Pick<Shared, '_id' | 'orgId' | 'owner'>
export function codeOf(i: number): string
export function openShared(where: Where): Promise<{
  readonly vault: Vault
  readonly client: MongoClient
  readonly shared: EncryptedCollection<Shared>
}>
