/** The vault, and the requests that are kept. */

import { openVault, systemClock, type VaultOptions } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { createPseudonyms, days, mongoRows } from '@strongroom/pseudonyms'
import { MongoClient } from 'mongodb'

import type { Configuration } from './configuration.ts'

/** One request, as it is kept for 30 days. */
export interface Row {
  readonly at: Date
  /** The pseudonym of the visitor; `-` for one who objects. */
  readonly ip: string
  readonly country: string
  /** Without the values of parameters. */
  readonly target: string
  readonly status: number
  /** What stands for whoever was logged in. */
  readonly user?: string
}

/** What of a day is kept for good: of which country how many, and only of countries with enough of them. */
export interface DayCount {
  readonly _id: string
  readonly requests: number
  readonly countries: readonly { readonly country: string; readonly requests: number }[]
}

export type Store = Awaited<ReturnType<typeof openStore>>

export const TENANT = 'images'
/** What the privacy policy says. */
export const KEPT = days(30)

export function connect({ MONGODB_URI }: Configuration): MongoClient {
  return new MongoClient(MONGODB_URI, {
    serverSelectionTimeoutMS: 5000,
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority' },
  })
}

/** Keys and state in databases of their own, so that each has backups of its own. */
export async function vaultOptions(
  client: MongoClient,
  { DATABASE, ROOT_KEY_FILE, passphrase, DAYS_AHEAD }: Configuration,
): Promise<VaultOptions> {
  const provider = await localKeyProvider({ file: ROOT_KEY_FILE, passphrase })
  return {
    keyProviders: { eu: provider },
    defaultRegion: 'eu',
    keyStore: mongoKeyStore({ db: client.db(`${DATABASE}_keys`) }),
    stateStore: mongoStateStore({ db: client.db(`${DATABASE}_state`) }),
    clock: { ...systemClock, now: () => systemClock.now() + days(1) * DAYS_AHEAD },
    async close() {
      provider.close()
      await client.close()
    },
  }
}

/** `store.vault.close()` closes all of it. @throws StrongroomError where there is no vault, or no database that answers */
export async function openStore(configuration: Configuration) {
  const client = connect(configuration)
  const options = await vaultOptions(client, configuration)
  const vault = await openVault(options)
  const db = client.db(configuration.DATABASE)
  const requests = db.collection<Row>('requests')
  // Networks of a day stay visible as networks: that is what the report is made of.
  const pseudonyms = createPseudonyms(vault.tenant(TENANT), { purpose: 'access-log', mode: 'prefix', period: days(1), retain: KEPT })
  const rows = pseudonyms.resource(mongoRows(requests, { at: 'at' }))
  await rows.prepare()
  return { vault, pseudonyms, requests, rows, counts: db.collection<DayCount>('day_counts'), now: () => options.clock?.now() ?? Date.now() }
}
