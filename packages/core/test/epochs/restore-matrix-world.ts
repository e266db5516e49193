// The vault that the matrix is about: made once, copied at every moment, and put together again for each restore.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import type { KeyStore, Shredded, VaultOptions } from '@strongroom/core'
import { withFailpoints } from '@strongroom/core/testing'
import { backupLocalStore } from '@strongroom/store-local'

import { at, drain, FILES, inFolder, makeVault, markerIn, openFolder, store, type Values } from './restore-matrix-folder.ts'
import { type Kind, MOMENTS, type Part, type When } from './restore-matrix-table.ts'

/** From which moment each part is put back. What is not named stays as it is. */
export type PutBack = Partial<Readonly<Record<Part, number>>>

export interface World {
  readonly values: Readonly<Record<Kind, Values>>
  /** What the shreds answered. */
  readonly shreds: Readonly<Record<Kind, Shredded>>
  /** The copy of a part. */
  copyOf(part: Part, moment: number): string
  /** A new folder, a copy of the vault as it was before or after the close, or of another such folder, with some parts put back. */
  folder(of: When | string, putBack?: PutBack): Promise<string>
  /** Puts parts back into a folder that no process has open. */
  putBack(path: string, putBack: PutBack): Promise<void>
  remove(): Promise<void>
}

export async function makeWorld(): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'strongroom-restores-'))
  const remove = (): Promise<void> => rm(home, { recursive: true, force: true })
  try {
    return { ...(await makeIn(home)), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function makeIn(home: string): Promise<Omit<World, 'remove'>> {
  const live = join(home, 'live')
  let folders = 0
  const startedAt: number[] = []

  const copyOf = (part: Part, moment: number): string => join(home, `moment-${moment}`, FILES[part])
  async function copyEverything(moment: number): Promise<void> {
    await mkdir(join(home, `moment-${moment}`))
    await cp(join(live, FILES.root), copyOf('root', moment))
    const { startedAt: began } = await backupLocalStore({ directory: live, store: 'keys', to: copyOf('keys', moment) })
    await backupLocalStore({ directory: live, store: 'state', to: copyOf('state', moment) })
    startedAt[moment] = began
  }
  async function putBack(path: string, from: PutBack): Promise<void> {
    for (const [part, moment] of Object.entries(from) as [Part, number][]) {
      await rm(join(path, FILES[part]), { recursive: true })
      await cp(copyOf(part, moment), join(path, FILES[part]), { recursive: true, filter: (source) => basename(source) !== 'copy.json' })
    }
  }

  await mkdir(live)
  await makeVault(live)

  const inOrder = orderOfMaking()
  const passed = new Map<string, number>()
  let rotating = false
  const watched = (options: VaultOptions): VaultOptions =>
    withFailpoints({ ...options, keyStore: inOrder(options.keyStore) }, async (name) => {
      if (!rotating) return
      const nth = (passed.get(name) ?? 0) + 1
      passed.set(name, nth)
      const moment = MOMENTS.findIndex((each) => each.at === name && each.nth === nth)
      if (moment !== -1) await copyEverything(moment)
    })
  const { vault, close } = await openFolder(live, watched)
  for (const tenant of ['acme', 'globex', 'initech', 'umbrella']) await vault.tenants.create(tenant)
  const alice = [await store(vault, ['acme', 'alice'])]
  const hubspot = [await store(vault, ['acme', 'alice', 'hubspot'])]
  const salesforce = [await store(vault, ['acme', 'alice', 'salesforce'])]
  const anna = [await store(vault, ['acme', 'anna'])]
  const erin = [await store(vault, ['globex', 'erin']), await store(vault, ['globex', 'erin', 'phone'])]
  const bob = [await store(vault, ['initech', 'bob']), await store(vault, ['initech', 'bob', 'phone'])]
  const carol = [await store(vault, ['initech', 'carol']), await store(vault, ['initech', 'carol', 'phone'])]
  const cody = [await store(vault, ['initech', 'cody'])]
  const dave = [await store(vault, ['umbrella', 'dave']), await store(vault, ['umbrella', 'dave', 'phone'])]
  await copyEverything(0)

  const shreds = {
    item: await at(vault, ['acme', 'alice', 'hubspot']).shred(),
    subject: await at(vault, ['initech', 'bob']).shred(),
    tenant: await vault.tenant('umbrella').shred(),
  }
  rotating = true
  await drain(vault.rotateRootKey({ concurrency: 1 }))
  rotating = false
  await copyEverything(MOMENTS.length - 1)
  const lateAcme = [await store(vault, ['acme', 'late'])]
  const lateGlobex = [await store(vault, ['globex', 'late'])]
  const lateInitech = [await store(vault, ['initech', 'late'])]
  await close()
  if (startedAt.length !== MOMENTS.length || MOMENTS.some((_, moment) => startedAt[moment] === undefined))
    throw new Error(`the rotation did not pass every moment: ${JSON.stringify([...passed])}`)

  const lives: Readonly<Record<When, string>> = { before: join(home, 'before-close'), after: live }
  await cp(live, lives.before, { recursive: true })
  await inFolder(live, async (opened) => {
    const marker = (await markerIn(copyOf('keys', MOMENTS.length - 1))) ?? 'none'
    await drain(opened.closeEpoch({ backup: { marker, startedAt: startedAt[MOMENTS.length - 1] as number }, rootBackup: true }))
  })

  return {
    values: {
      item: { shredded: hubspot, sameTenant: [...alice, ...salesforce], movedLast: anna, otherTenant: erin, madeLater: lateAcme },
      subject: { shredded: bob, sameTenant: carol, movedLast: cody, otherTenant: erin, madeLater: lateInitech },
      tenant: { shredded: dave, sameTenant: [], movedLast: [], otherTenant: erin, madeLater: lateGlobex },
    },
    shreds,
    copyOf,
    putBack,
    async folder(of, from = {}) {
      const path = join(home, `folder-${++folders}`)
      await cp(of in lives ? lives[of as When] : of, path, { recursive: true })
      await putBack(path, from)
      return path
    },
  }
}

// A rotation takes tenants and keys in the order of their references, which are random. Here they come in the order in which they were
// made, so that the table can say what stands at each moment. All of them are in the first page.
function orderOfMaking(): (store: KeyStore) => KeyStore {
  const made: string[] = []
  const placeOf = (ref: Uint8Array): number => made.indexOf(Buffer.from(ref).toString('hex'))
  return (under) => ({
    get: (keys) => under.get(keys),
    async put(record) {
      if (record.type === 'node' && placeOf(record.ref) === -1) made.push(Buffer.from(record.ref).toString('hex'))
      return under.put(record)
    },
    async scan(query) {
      const page = await under.scan(query)
      return page.toSorted((a, b) => (a.type === 'node' && b.type === 'node' ? placeOf(a.ref) - placeOf(b.ref) : 0))
    },
  })
}
