// Rows with pseudonyms go with their tenant, on a running server.
import type { ErasedPlace, PlaceFate } from '@strongroom/core'
import { mongoTenantRows, type TenantRowsOptions } from '@strongroom/pseudonyms'
import type { Collection } from 'mongodb'
import { beforeEach, expect, test } from 'vitest'

import { outcome, refusalOf } from '../support.ts'
import { requestsIn } from './requests.ts'

const NAME = `strongroom-tenant-rows-${process.pid}`
const references = (depth: number) => Array.from({ length: depth }, () => '0'.repeat(32))
const ACME: ErasedPlace = { tenant: 'acme', references: references(1) }
const ALICE: ErasedPlace = { tenant: 'acme', subject: 'alice', references: references(2) }
const SELF: ErasedPlace = { tenant: 'acme', self: true, references: references(2) }
const OPTIONS = { name: 'requests', tenant: 'site' }

const collection = requestsIn(NAME)
let requests: Collection
beforeEach(async () => {
  requests = collection()
  await requests.insertMany(['acme', 'acme', 'rival', 5].map((site) => ({ site, ip: 'x', path: '/' })))
})

test('all of a tenant, none of a person or of its own', async () => {
  const rows = mongoTenantRows(requests, OPTIONS)
  expect(await Promise.all([ACME, ALICE, SELF].map((place) => rows.count(place)))).toEqual([2, 0, 0])
  expect([await rows.erase(ALICE), await rows.erase(ACME), await rows.erase(ACME), await rows.verify(ACME)]).toEqual([0, 2, 0, 0])
  expect(await requests.countDocuments()).toBe(2)
  expect(await outcome(() => rows.erase({ ...ALICE, subject: undefined }))).toBe('invalid_argument')
})

test('with fields: they go, the rows stay', async () => {
  const rows = mongoTenantRows(requests, { ...OPTIONS, fields: ['ip'] })
  expect([await rows.count(ACME), await rows.erase(ACME), await rows.verify(ACME)]).toEqual([2, 2, 0])
  expect(await requests.countDocuments({ ip: { $exists: false }, path: '/' })).toBe(2)
})

test('replay: those of tenants that are dead go again', async () => {
  const fates: Readonly<Record<string, PlaceFate>> = { acme: 'dead', rival: 'suspended' }
  const dead = {
    fates: (places: readonly { readonly tenant: string }[]) => Promise.resolve(places.map(({ tenant }) => fates[tenant] ?? 'alive')),
  }
  const rows = mongoTenantRows(requests, OPTIONS)
  expect([await rows.replay?.(dead), await rows.replay?.(dead)]).toEqual([
    { looked: 3, removed: 2, suspended: 1 },
    { looked: 1, removed: 0, suspended: 1 },
  ])
  await expect(rows.replay?.(dead, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})

test.each([
  [{ ...OPTIONS, name: '' }, 'name'],
  [{ ...OPTIONS, tenant: '$where' }, 'tenant'],
  [{ ...OPTIONS, fields: ['site'] }, 'fields'],
  [{ ...OPTIONS, fields: [] }, 'fields'],
] as const)('%j', async (options, argument) => {
  const error = await refusalOf(() => mongoTenantRows(requests, options as unknown as TenantRowsOptions))
  expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
})
