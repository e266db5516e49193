import type { MongoClient } from 'mongodb'

export interface Stored {
  readonly where: string
  readonly bytes: Buffer
}

export interface Found {
  readonly where: string
  readonly secret: string
  readonly form: string
}

export function databasesOf(database: string): readonly string[]
export function storedBytes(client: MongoClient, database: string): Promise<readonly Stored[]>
export function findSecrets(stored: readonly Stored[], secrets: readonly string[], tokens?: readonly string[]): readonly Found[]
