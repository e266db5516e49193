// What an index finds before a pipeline counts has an end: said as it is, and never cut off.
import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { refusalOf } from '../refusals.ts'
import { emptyDatabase, openClient, uri } from '../support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  test('hits whose ids are more than a command takes', async () => {
    const options = {
      keyProviders: { eu: memoryKeyProvider() },
      defaultRegion: 'eu',
      keyStore: memoryKeyStore(),
      stateStore: memoryStateStore(),
    }
    await initVault(options)
    const vault = await openVault(options)
    await vault.tenants.create('acme')
    const commands: string[] = []
    const client = openClient({ monitorCommands: true })
    client.on('commandStarted', ({ commandName }) => void commands.push(commandName))
    const schema = z.object({
      _id: z.string(),
      org: z.string(),
      who: z.string(),
      kind: encrypted(z.string(), { index: { scope: 'tenant' } }),
    })
    const rows = encryptedCollection(vault, emptyDatabase(client).collection('rows'), { schema, tenant: 'org', subject: 'who' })
    const id = (i: number): string => String(i).padStart(4_000, 'x')
    await rows.insertMany(
      Array.from({ length: 2_300 }, (_, i) => ({ _id: id(i), org: 'acme', who: 'ada', kind: i % 2 === 0 ? 'even' : 'odd' })),
    )
    commands.length = 0
    const counted = (filter: object) => rows.aggregate([{ $match: { org: 'acme', ...filter } }, { $count: 'n' }]).toArray()
    // Half of them are no more than that.
    expect(await counted({ kind: 'even' })).toEqual([{ n: 1_150 }])
    expect(commands).toContain('aggregate')
    commands.length = 0
    const error = await refusalOf(() => counted({ kind: { $in: ['even', 'odd'] } }))
    expect([error.code, error.message]).toEqual(['unsupported_operation', expect.stringContaining('more documents than can be compared')])
    expect(commands).not.toContain('aggregate')
    // Where nothing is counted there is no such end.
    let found = 0
    for await (const _ of rows.aggregate([{ $match: { org: 'acme', kind: { $in: ['even', 'odd'] } } }, { $project: { who: 1 } }])) found++
    expect(found).toBe(2_300)
  })
})
