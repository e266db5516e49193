// Folders as an operator has them: a configuration, a root key file, the stores.
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { type Encrypted, field, initVault, openVault, type Vault, type VaultOptions } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { onTestFinished } from 'vitest'
import { z } from 'zod'

export const PASSPHRASE = 'correct horse battery staple'
export const email = field('users', 'email', z.string())

const MODULES = fileURLToPath(new URL('../../../../node_modules', import.meta.url))

/** An empty folder in which the packages are found; it goes with the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-cli-'))
  symlinkSync(MODULES, join(folder, 'node_modules'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The source of a configuration that opens with a raw key: no time is spent on Argon2id. */
export function rawKeyConfiguration(folder: string, more = ''): string {
  return `import { readFileSync } from 'node:fs'
import { defineConfig } from '@strongroom/cli'
import { openVault } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'

const folder: string = ${JSON.stringify(folder)}
export default defineConfig(async () =>
  openVault({
    keyProviders: { eu: await localKeyProvider({ file: folder + '/root.key', rawKey: readFileSync(folder + '/raw.key'), copiesLife: 86_400_000 }) },
    defaultRegion: 'eu',
    ...localStores({ directory: folder + '/vault' }),
    ${more}
  }),
)
`
}

/** The source of a configuration that asks for a passphrase. */
export const PASSPHRASE_CONFIGURATION = `import { defineConfig } from '@strongroom/cli'
import { localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'

export default defineConfig(async ({ passphrase }) => ({
  keyProviders: { eu: await localKeyProvider({ file: 'root.key', passphrase: await passphrase(), copiesLife: 86_400_000 }) },
  defaultRegion: 'eu',
  ...localStores({ directory: 'vault' }),
}))
`

/** The same, where no time is to be spent on Argon2id: the passphrase is hashed, and taken for a raw key. */
export const QUICK_CONFIGURATION: string = quick(PASSPHRASE_CONFIGURATION)

/** A configuration that asks for a passphrase, and takes its hash for a raw key. */
export function quick(configuration: string): string {
  if (!configuration.includes('passphrase: await passphrase()')) return configuration
  return configuration
    .replace('passphrase: await passphrase()', "rawKey: createHash('sha256').update((await passphrase()).reveal()).digest()")
    .replace("'@strongroom/cli'", "'@strongroom/cli'\nimport { createHash } from 'node:crypto'")
}

/** Makes the root key file that the quick configuration opens. */
export async function quickRootKey(folder: string): Promise<void> {
  await createLocalKeyFile({ file: join(folder, 'root.key'), rawKey: createHash('sha256').update(PASSPHRASE).digest(), region: 'eu' })
}

/** A value, and whose it is. */
export interface StoredValue {
  readonly tenant: string
  readonly subject: string
  readonly value: string
  readonly stored: Encrypted<string>
}

export interface VaultFolder {
  readonly folder: string
  readonly values: readonly StoredValue[]
  /** Opens the vault in this process, and closes it again. */
  with<T>(work: (vault: Vault) => Promise<T>): Promise<T>
}

export interface VaultFolderOptions {
  readonly tenants?: number
  readonly subjects?: number
  /** How long a rotation waits, in milliseconds. */
  readonly cacheBound?: number
}

/** A vault with a few tenants, `t0` …, and subjects, `s0` …, each with one value. */
export async function vaultFolder({ tenants = 2, subjects = 2, cacheBound = 100 }: VaultFolderOptions = {}): Promise<VaultFolder> {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'raw.key'), randomBytes(32), { mode: 0o600 })
  writeFileSync(join(folder, 'strongroom.config.ts'), rawKeyConfiguration(folder))
  await createLocalKeyFile({ file: join(folder, 'root.key'), rawKey: readFileSync(join(folder, 'raw.key')), region: 'eu' })
  const options = await optionsOf(folder)
  await initVault({ ...options, cacheBound })
  await options.close?.()
  const opened = <T>(work: (vault: Vault) => Promise<T>): Promise<T> => withVault(folder, work)
  return { folder, values: await opened((vault) => fill(vault, tenants, subjects)), with: opened }
}

/** Opens the vault of a folder in this process, and closes it again. */
export async function withVault<T>(folder: string, work: (vault: Vault) => Promise<T>): Promise<T> {
  const vault = await openVault(await optionsOf(folder))
  try {
    return await work(vault)
  } finally {
    await vault.close()
  }
}

/** What each value reads as now: itself, or the code of a refusal. */
export async function readAll(folder: string, values: readonly StoredValue[]): Promise<readonly string[]> {
  return withVault(folder, (vault) =>
    Promise.all(
      values.map(({ tenant, subject, stored }) =>
        vault
          .tenant(tenant)
          .subject(subject)
          .decrypt(email, stored)
          .catch((error: { readonly code: string }) => error.code),
      ),
    ),
  )
}

async function optionsOf(folder: string): Promise<VaultOptions> {
  const rawKey = readFileSync(join(folder, 'raw.key'))
  return {
    keyProviders: { eu: await localKeyProvider({ file: join(folder, 'root.key'), rawKey, copiesLife: 86_400_000 }) },
    defaultRegion: 'eu',
    ...localStores({ directory: join(folder, 'vault') }),
  }
}

async function fill(vault: Vault, tenants: number, subjects: number): Promise<readonly StoredValue[]> {
  const values: StoredValue[] = []
  for (let t = 0; t < tenants; t++) {
    const tenant = `t${t}`
    await vault.tenants.create(tenant)
    const names = Array.from({ length: subjects }, (_, s) => `s${s}`)
    values.push(
      ...(await Promise.all(
        names.map(async (subject) => {
          const value = `${tenant} ${subject}`
          return { tenant, subject, value, stored: await vault.tenant(tenant).subject(subject).encrypt(email, value) }
        }),
      )),
    )
  }
  return values
}

/** Makes a file that only its owner may use. */
export function writePrivate(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 })
  chmodSync(path, 0o600)
}
