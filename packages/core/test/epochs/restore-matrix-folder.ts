// A vault in a folder: opened, written to, read from in the words of the tables.
import { join } from 'node:path'

import {
  field,
  initVault,
  type Item,
  openVault,
  readEpochMarker,
  repairLedger,
  StrongroomError,
  type Vault,
  type VaultOptions,
} from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localKeyStoreCopy, type LocalStores, localStores } from '@strongroom/store-local'
import { z } from 'zod'

import { type Answers, type Kind, type Part, WORDS } from './restore-matrix-table.ts'

const RAW_KEY = new Uint8Array(32).fill(7)
const email = field('users', 'email', z.string())

/** What the parts are called in a folder. */
export const FILES: Readonly<Record<Part, string>> = { keys: 'keys', state: 'state', root: 'root.key' }

/** A place by name: tenant, subject, item. */
export type Names = readonly [tenant: string, subject: string, item?: string]

export interface StoredValue {
  readonly of: Names
  readonly stored: Uint8Array
}

/** Everything of one kind of shred. */
export interface Values {
  readonly shredded: readonly StoredValue[]
  readonly sameTenant: readonly StoredValue[]
  readonly movedLast: readonly StoredValue[]
  readonly otherTenant: readonly StoredValue[]
  readonly madeLater: readonly StoredValue[]
}

/** A vault that is open in a folder, with what it stands on. */
export interface OpenFolder {
  readonly vault: Vault
  readonly stores: LocalStores
  close(): Promise<void>
}

/** What a vault in a folder stands on: stores in it, root file beside them. */
async function ground(path: string): Promise<{ readonly options: VaultOptions; readonly stores: LocalStores; close(): Promise<void> }> {
  const provider = await localKeyProvider({ file: join(path, FILES.root), rawKey: RAW_KEY, copiesLife: 0 })
  const stores = localStores({ directory: path })
  const { keyStore, stateStore } = stores
  return {
    options: { keyProviders: { eu: provider }, defaultRegion: 'eu', keyStore, stateStore, cacheBound: 100 },
    stores,
    async close() {
      await stores.close()
      provider.close()
    },
  }
}

/** Makes a root key file and a vault in an empty folder. */
export async function makeVault(path: string): Promise<void> {
  await createLocalKeyFile({ file: join(path, FILES.root), rawKey: RAW_KEY, region: 'eu' })
  const { options, close } = await ground(path)
  await initVault(options)
  await close()
}

/** Opens the vault in a folder. */
export async function openFolder(
  path: string,
  change: (options: VaultOptions) => VaultOptions = (options) => options,
): Promise<OpenFolder> {
  const { options, stores, close } = await ground(path)
  try {
    const vault = await openVault(change(options))
    return {
      vault,
      stores,
      async close() {
        await vault.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Repairs the ledger of the vault in a folder. @returns how many entries were missing */
export async function repaired(path: string): Promise<number> {
  const { options, close } = await ground(path)
  try {
    return (await repairLedger(options)).rebuilt
  } finally {
    await close()
  }
}

/** Does something with the vault in a folder. */
export async function inFolder<T>(path: string, work: (vault: Vault, stores: LocalStores) => Promise<T>): Promise<T> {
  const open = await openFolder(path)
  try {
    return await work(open.vault, open.stores)
  } finally {
    await open.close()
  }
}

export async function drain(progress: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of progress);
}

export function at(vault: Vault, [tenant, subject, item]: Names): Item {
  const whole = vault.tenant(tenant).subject(subject)
  return item === undefined ? whole : whole.item(item)
}

const textOf = (of: Names): string => `${of.join('.')}@example.com`

export async function store(vault: Vault, of: Names): Promise<StoredValue> {
  return { of, stored: await at(vault, of).encrypt(email, textOf(of)) }
}

/** What reading a value gives, in the words of the tables. Anything thrown that is not ours is thrown on. */
export async function read(vault: Vault, { of, stored }: StoredValue): Promise<string> {
  try {
    return (await at(vault, of).decrypt(email, stored)) === textOf(of) ? 'reads' : 'another value'
  } catch (error) {
    return wordOf(error)
  }
}

/** `'done'`, or why not, in the words of the tables. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    return wordOf(error)
  }
}

function wordOf(error: unknown): string {
  if (!(error instanceof StrongroomError)) throw error
  return WORDS.get(error.code) ?? error.code
}

/** What every kind of value answers in a folder. */
export async function answers(path: string, values: Readonly<Record<Kind, Values>>): Promise<Readonly<Record<Kind, Answers>>> {
  let opened: OpenFolder
  try {
    opened = await openFolder(path)
  } catch (error) {
    const closed = { vault: wordOf(error) }
    return { item: closed, subject: closed, tenant: closed }
  }
  const { vault, close } = opened
  // Values of which one answer is expected: all of the different ones that they give.
  const all = async (stored: readonly StoredValue[]): Promise<string> => {
    const words = new Set<string>()
    for (const value of stored) words.add(await read(vault, value))
    return [...words].join(', ')
  }
  const of = async ({ shredded, sameTenant, movedLast, otherTenant, madeLater }: Values): Promise<Answers> => ({
    vault: 'opens',
    shredded: await all(shredded),
    ...(sameTenant.length === 0 ? {} : { sameTenant: await all(sameTenant) }),
    ...(movedLast.length === 0 ? {} : { movedLast: await all(movedLast) }),
    otherTenant: await all(otherTenant),
    madeLater: await all(madeLater),
  })
  try {
    return { item: await of(values.item), subject: await of(values.subject), tenant: await of(values.tenant) }
  } finally {
    await close()
  }
}

/** The epoch marker in a copy of the key store. */
export async function markerIn(directory: string): Promise<string | undefined> {
  const copy = localKeyStoreCopy({ directory })
  try {
    return await readEpochMarker({ keyStore: copy.keyStore, region: 'eu' })
  } finally {
    await copy.close()
  }
}
