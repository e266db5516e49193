// A vault in a folder, with data beside it: two erasures from the request to the close, copied at four moments, and put together again for each restore.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  days,
  encryptedToText,
  type ErasedPlace,
  field,
  hours,
  initVault,
  openVault,
  repairLedger,
  type Resource,
  StrongroomError,
  type Subject,
  type Vault,
  type VaultOptions,
} from '@strongroom/core'
import { createErasure, definePolicy, type Erasure, type ReplayReport } from '@strongroom/erasure'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { z } from 'zod'

/** What has copies. The root key file is the newest in each of these restores. */
export type Part = 'data' | 'keys' | 'state'
/** Whose erasure it is. */
export type Kind = 'person' | 'tenant'

/** When the copies were taken, all at once. */
export const MOMENTS = ['before the request', 'in the grace', 'erased', 'rotated'] as const

/** In the words of docs/restore-runbook.md. */
export interface Answers {
  readonly vault: string
  /** What was erased, as it is put back. */
  readonly erased: string
  /** Records that replay removes. */
  readonly removed: number | string
  readonly replayed: string
  /** Once it was swept too. */
  readonly swept: string
  /** What of others was there when the copies were taken. */
  readonly others: string
}

interface Row {
  readonly tenant: string
  readonly subject: string
  readonly name: string
}

const FILES: Readonly<Record<Part, string>> = { data: 'data.json', keys: 'keys', state: 'state' }
const NAME = field('people', 'name', z.string())
const RAW_KEY = new Uint8Array(32).fill(7)
const START = Date.UTC(2030, 0, 1)
const policy = definePolicy({
  deadline: days(60),
  grace: days(30),
  sweep: hours(1),
  cacheBound: 100,
  epoch: days(7),
  providerDelay: 0,
  copies: 0,
})
const WHOSE: Readonly<Record<Kind, Pick<Row, 'tenant' | 'subject'>>> = {
  person: { tenant: 'acme', subject: 'ada' },
  tenant: { tenant: 'umbrella', subject: 'dave' },
}
const OTHERS = { tenant: 'acme', subject: 'bob' }

/** A vault that is open in a folder. */
class Folder {
  readonly path: string
  readonly vault: Vault
  readonly erasure: Erasure
  static now = START

  private constructor(path: string, vault: Vault) {
    this.path = path
    this.vault = vault
    this.erasure = createErasure(vault, { policy, resources: [rowsIn(path)] })
  }

  static async make(path: string): Promise<void> {
    await createLocalKeyFile({ file: join(path, 'root.key'), rawKey: RAW_KEY, region: 'eu' })
    const { options, close } = await ground(path)
    await initVault(options)
    await close()
    await writeFile(join(path, FILES.data), '[]')
  }

  static async in<T>(path: string, work: (folder: Folder) => Promise<T>): Promise<T> {
    const { options, close } = await ground(path)
    try {
      const folder = new Folder(path, await openVault(options))
      try {
        return await work(folder)
      } finally {
        await folder.vault.close()
      }
    } finally {
      await close()
    }
  }

  subject({ tenant, subject }: Pick<Row, 'tenant' | 'subject'>): Subject {
    return this.vault.tenant(tenant).subject(subject)
  }

  async store(whose: Pick<Row, 'tenant' | 'subject'>): Promise<void> {
    const name = encryptedToText(await this.subject(whose).encrypt(NAME, whose.subject))
    await write(this.path, [...(await read(this.path)), { ...whose, name }])
  }

  /** What somebody's rows read as. */
  async reading(whose: Pick<Row, 'tenant' | 'subject'>): Promise<string> {
    const rows = (await read(this.path)).filter(({ tenant, subject }) => tenant === whose.tenant && subject === whose.subject)
    if (rows.length === 0) return 'nothing'
    const answers = await Promise.all(
      rows.map(({ name }) =>
        this.subject(whose)
          .decrypt(NAME, name)
          .then(() => 'reads', codeIn),
      ),
    )
    return [...new Set(answers)].join(', ')
  }

  async sweepTwice(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      Folder.now += hours(1)
      for (let isMore = true; isMore;) isMore = (await this.erasure.sweep()).done > 0
    }
  }
}

/** The world of the matrix. */
export interface World {
  /** What a copy of a moment does, put back before or after the close. */
  answers(when: 'before' | 'after', parts: readonly Part[], moment: number): Promise<Readonly<Record<Kind, Answers>>>
  /** What is left of the erased where state store and data of a moment are put back, and the ledger is repaired; or why it cannot be. */
  repaired(when: 'before' | 'after', moment: number): Promise<Readonly<Record<Kind, string>> | string>
  remove(): Promise<void>
}

export async function makeWorld(): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'strongroom-replays-'))
  const live = join(home, 'live')
  await cp(await mkdtemp(join(home, 'empty-')), live, { recursive: true })
  const copy = (name: string): Promise<void> => cp(live, join(home, name), { recursive: true })
  await Folder.make(live)
  await Folder.in(live, async (folder) => {
    for (const tenant of ['acme', 'umbrella']) await folder.vault.tenants.create(tenant)
    for (const whose of [...Object.values(WHOSE), OTHERS]) await folder.store(whose)
  })
  await copy('moment-0')
  await Folder.in(live, async ({ vault, erasure }) => {
    await erasure.request(vault.tenant('acme').subject('ada'), { reason: 'accountDeleted' })
    await erasure.request(vault.tenant('umbrella'), { reason: 'contractEnded' })
    await erasure.sweep()
  })
  await copy('moment-1')
  Folder.now += days(31)
  await Folder.in(live, (folder) => folder.sweepTwice())
  await copy('moment-2')
  await Folder.in(live, async ({ vault }) => {
    for await (const _ of vault.rotateRootKey());
  })
  await copy('moment-3')
  await copy('before')
  await Folder.in(live, async (folder) => {
    for await (const _ of folder.vault.closeEpoch({ dangerouslyWithoutBackup: true }));
    await folder.sweepTwice()
  })
  await copy('after')
  const end = Folder.now
  let folders = 0
  const restored = async (when: 'before' | 'after', parts: readonly Part[], moment: number): Promise<string> => {
    Folder.now = end
    const path = join(home, `folder-${++folders}`)
    await cp(join(home, when), path, { recursive: true })
    for (const part of parts) {
      await rm(join(path, FILES[part]), { recursive: true })
      await cp(join(home, `moment-${moment}`, FILES[part]), join(path, FILES[part]), { recursive: true })
    }
    return path
  }
  return {
    async repaired(when, moment) {
      const path = await restored(when, ['data', 'state'], moment)
      const { options, close } = await ground(path)
      const refusal = await repairLedger(options).then(
        () => undefined,
        (error: unknown) => (error instanceof StrongroomError ? error.code : 'failed'),
      )
      await close()
      if (refusal !== undefined) return refusal
      const given = await answersIn(path)
      return { person: given.person.replayed, tenant: given.tenant.replayed }
    },
    async answers(when, parts, moment) {
      const path = await restored(when, parts, moment)
      const given = await answersIn(path).catch((error: unknown) => refused(codeIn(error)))
      await rm(path, { recursive: true })
      return given
    },
    remove: () => rm(home, { recursive: true, force: true }),
  }
}

const KINDS = Object.keys(WHOSE) as readonly Kind[]

function answersIn(path: string): Promise<Readonly<Record<Kind, Answers>>> {
  return Folder.in(path, async (folder) => {
    const readings = async (): Promise<Readonly<Record<Kind, string>>> => {
      const all = await Promise.all(KINDS.map(async (kind) => [kind, await folder.reading(WHOSE[kind])] as const))
      return Object.fromEntries(all) as Record<Kind, string>
    }
    const others = await folder.reading(OTHERS)
    const [erased, before] = [await readings(), await read(path)]
    await requireWhole(await folder.erasure.replay())
    const [replayed, after] = [await readings(), await read(path)]
    await folder.sweepTwice()
    const swept = await readings()
    const of = (rows: readonly Row[], kind: Kind): number => rows.filter(({ subject }) => subject === WHOSE[kind].subject).length
    return Object.fromEntries(
      KINDS.map((kind) => [
        kind,
        {
          vault: 'opens',
          erased: erased[kind],
          removed: of(before, kind) - of(after, kind),
          replayed: replayed[kind],
          swept: swept[kind],
          others,
        },
      ]),
    ) as Record<Kind, Answers>
  })
}

function refused(vault: string): Readonly<Record<Kind, Answers>> {
  const answers: Answers = { vault, erased: '', removed: '', replayed: '', swept: '', others: '' }
  return { person: answers, tenant: answers }
}

async function requireWhole({ resources }: ReplayReport): Promise<void> {
  const failed = resources.find(({ failure }) => failure !== undefined)
  if (failed !== undefined) throw new Error(`the replay of ${failed.name} failed: ${failed.failure}`)
}

function codeIn(error: unknown): string {
  if (error instanceof StrongroomError) return WORDS[error.code] ?? `\`${error.code}\``
  throw error
}

const WORDS: Readonly<Record<string, string>> = {
  shredded: 'refused',
  suspended: 'suspended',
  root_version_destroyed: 'dead',
  decrypt_failed: 'lost',
}

async function ground(path: string): Promise<{ readonly options: VaultOptions; close(): Promise<void> }> {
  const provider = await localKeyProvider({ file: join(path, 'root.key'), rawKey: RAW_KEY, copiesLife: 0 })
  const stores = localStores({ directory: path })
  const { keyStore, stateStore } = stores
  return {
    options: {
      keyProviders: { eu: provider },
      defaultRegion: 'eu',
      keyStore,
      stateStore,
      cacheBound: 100,
      clock: { now: () => Folder.now, monotonic: () => performance.now() },
    },
    async close() {
      await stores.close()
      provider.close()
    },
  }
}

async function read(path: string): Promise<readonly Row[]> {
  return JSON.parse(await readFile(join(path, FILES.data), 'utf8')) as readonly Row[]
}

function write(path: string, rows: readonly Row[]): Promise<void> {
  return writeFile(join(path, FILES.data), JSON.stringify(rows))
}

/** The rows of a folder, as an application would have them in a table of its own. */
function rowsIn(path: string): Resource {
  const isOf =
    ({ tenant, subject }: ErasedPlace) =>
    (row: Row): boolean =>
      row.tenant === tenant && (subject === undefined || row.subject === subject)
  const count = async (place: ErasedPlace): Promise<number> => (await read(path)).filter(isOf(place)).length
  return {
    name: 'people',
    count,
    async erase(place) {
      const found = await count(place)
      await write(
        path,
        (await read(path)).filter((row) => !isOf(place)(row)),
      )
      return found
    },
    verify: count,
    async replay(dead) {
      const rows = await read(path)
      const fates = await dead.fates(rows.map(({ tenant, subject }) => ({ tenant, subject })))
      const left = rows.filter((_, i) => fates[i] !== 'dead')
      await write(path, left)
      return {
        looked: rows.length,
        removed: rows.length - left.length,
        suspended: fates.filter((fate) => fate === 'suspended').length,
      }
    },
  }
}
