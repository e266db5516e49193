import type { Vault } from '@strongroom/core'
import type { EncryptedCollection } from '@strongroom/mongo-adapter'
import type { Collection, MongoClient } from 'mongodb'

import type { Where } from './accounts.mjs'

export interface Letter {
  _id: number
  orgId: string
  who: string
  title: string
  text?: string
  pages: string[]
}

export interface Letters {
  readonly vault: Vault
  readonly letters: EncryptedCollection<Letter>
  readonly stored: Collection<{ _id: number; [name: string]: unknown }>
  readonly client: MongoClient
}

export function openLetters(where: Where, overhear?: (client: MongoClient) => void): Promise<Letters>
