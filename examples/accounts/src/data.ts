/** All that the service reads and writes. It is there twice: collections/ has it on encrypted collections, models/ on models of Mongoose. */

import type { Resource } from '@strongroom/core'
import { SHREDDED } from '@strongroom/mongo-adapter'
import type { IndexDescription } from 'mongodb'

import type { Account, Invitation, Organisation, Recovery, Session } from './documents.ts'
import type { ProfileChange } from './requests.ts'

/** A document as it is found, of which anything may be missing, or `null` for none: {@link whole} says what it must have. */
export type Found = unknown

export interface Data {
  readonly organisations: {
    add(organisation: Organisation): Promise<void>
    find(id: string): Promise<Found>
  }
  readonly accounts: Accounts
  readonly sessions: Tokens<Session>
  readonly invitations: Pick<Tokens<Invitation>, 'add' | 'find'>
  readonly recoveries: Tokens<Recovery>
  /** Uses an invitation up and makes the account, both or neither. @returns whether the invitation was there */
  makeAccount(invitation: string, account: Account): Promise<boolean>
  /** All of it that is of people. */
  readonly resources: readonly Resource[]
  /** Keeps those that are there. */
  makeIndexes(): Promise<void>
  /** Those of a collection, by declared paths. @throws MongoServerError where there is no collection */
  indexesOf(name: Indexed): Promise<readonly IndexDescription[]>
}

export type Indexed = 'accounts' | 'sessions' | 'invitations' | 'recoveries'

/** Whose account it is, and of which organisation: whoever is asked for in another one is not found. */
export type Key = Pick<Account, '_id' | 'orgId'>

export interface Accounts {
  /** However the address is capitalised, in whichever organisation. */
  findByAddress(email: string): Promise<Found>
  find(key: Key): Promise<Found>
  /** Without the password. */
  findMember(key: Key): Promise<Found>
  ids(orgId: string): Promise<readonly string[]>
  /** Without the passwords, and without those whose keys are destroyed. */
  findMembers(orgId: string, ids: readonly string[]): Promise<readonly Found[]>
  /** Nothing, where there is none. @throws MongoServerError 11000 for an address that somebody has */
  change(key: Key, change: ProfileChange): Promise<void>
}

/** What is known by the hash of a token, which is its `_id`. */
export interface Tokens<T> {
  add(document: T): Promise<void>
  find(id: string): Promise<Found>
  remove(id: string): Promise<void>
}

/** Not one whose key is destroyed, such as a restore may bring back. */
export const isReadable = ({ name }: { readonly name: unknown }): boolean => name !== SHREDDED
