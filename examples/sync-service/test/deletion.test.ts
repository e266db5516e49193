// An organisation that leaves: its connections are revoked at the CRM, and nothing of it is left anywhere, within thirty days.
import { days } from '@strongroom/core'
import { definePolicy, verifyCertificate } from '@strongroom/erasure'
import { afterEach, expect, test, vi } from 'vitest'

import { findSecrets, storedBytes } from '../../../tools/services/stored-bytes.mjs'
import { CRM_API_KEY, SETTINGS } from '../crm/start-crm.mjs'
import { POLICY } from '../dist/erasure.js'
import { sweepOnce } from '../dist/sweeping.js'
import { type Customer, describeOnServer } from './support.ts'

const MINUTE = 60_000
const DAY = days(1)

test('thirty days are what the terms add up to: a longer one is refused, and named', () => {
  expect(POLICY.times().everywhere).toBeLessThanOrEqual(days(30))
  const { deadline, grace, sweep, cacheBound, epoch, providerDelay, copies } = POLICY
  for (const longer of [{ grace: days(7) }, { epoch: days(16) }, { copies: days(30) }])
    expect(() => definePolicy({ deadline, grace, sweep, cacheBound, epoch, providerDelay, copies, ...longer })).toThrow(/30 days/)
})

describeOnServer('deletion', (ground) => {
  afterEach(() => {
    vi.useRealTimers()
  })
  /** For this process: the others have ended by then. */
  const later = (ahead: number): void => {
    vi.useRealTimers()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ahead })
  }
  const sweepTwice = async (ahead: number): Promise<void> => {
    for (const at of [ahead, ahead + 30 * MINUTE]) {
      later(at)
      await sweepOnce(ground.store)
    }
  }
  const rows = async ({ id }: Customer): Promise<readonly number[]> =>
    Promise.all(
      [ground.store.accessKeys, ground.store.mappings, ground.store.syncLogs].map((each) => each.countDocuments({ orgId: id } as never)),
    )
  const refreshedAtCrm = async (refresh_token: string): Promise<unknown> => {
    const client = Buffer.from(`sync-service:${SETTINGS.CRM_CLIENT_SECRET}`).toString('base64')
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token })
    const response = await fetch(`${ground.crm.url}/token`, { method: 'POST', headers: { authorization: `Basic ${client}` }, body })
    return ((await response.json()) as { error?: unknown }).error
  }
  /** An organisation with two connections, mappings and logs. */
  const synced = async (): Promise<Customer> => {
    const customer = await ground.organisation()
    await customer.connect()
    await customer.call('PUT', '/connections/crm-key', { secret: CRM_API_KEY })
    expect([await customer.sync('crm'), await customer.sync('crm-key'), await rows(customer)]).toEqual([200, 200, [1, 3, 2]])
    return customer
  }
  const certificateOf = async (id: string) => {
    const certificate = await ground.store.erasure.certificate(id)
    return certificate === undefined ? undefined : verifyCertificate(certificate, await ground.store.vault.receiptKeys())
  }

  test('[F5] its connections are revoked, its mappings, logs and keys gone; of who cannot be asked it is said; all within thirty days', async () => {
    const acme = await synced()
    const { tokens } = await ground.crm.seen()
    const beta = await synced()
    const rival = await synced()
    const { status, body } = await acme.call('DELETE', '/organisation')
    expect([status, body]).toEqual([200, { erasure: expect.any(String) }])
    // Nobody opens anything of it, whichever process is asked.
    await vi.waitFor(async () => {
      for (const by of ground.services) expect((await acme.call('GET', '/connections', undefined, by)).status).toBe(401)
    })
    for (const service of ground.services) expect(await service.stop()).toBe(0)
    const start = Date.now()

    await sweepTwice(MINUTE)
    expect(await refreshedAtCrm(tokens.refresh.at(-1) as string)).toBe('invalid_grant')
    expect([await rows(acme), await rows(beta), await rows(rival)]).toEqual([
      [0, 0, 0],
      [1, 3, 2],
      [1, 3, 2],
    ])
    expect(findSecrets(await storedBytes(ground.client, ground.database), [acme.id, acme.secret])).toEqual([])
    // The CRM answers nobody any more.
    await ground.crm.kill()
    const { store } = ground
    const late = await store.erasure.request(store.vault.tenant(beta.id), { reason: 'contractEnded' })
    await sweepTwice(90 * MINUTE)
    expect(await rows(beta)).toEqual([0, 0, 0])

    later(13 * DAY)
    for await (const _ of store.vault.rotateRootKey());
    for await (const _ of store.vault.closeEpoch({ dangerouslyWithoutBackup: true }));
    const acmes = String(body?.['erasure'])
    expect([await certificateOf(acmes), await certificateOf(late.id)]).toEqual([undefined, undefined])
    await sweepTwice(28 * DAY + 12 * 60 * MINUTE)
    const [first, second] = [await certificateOf(acmes), await certificateOf(late.id)]
    for (const certificate of [first, second]) {
      expect(certificate).toMatchObject({ kind: 'tenant', reason: 'contractEnded' })
      expect((certificate?.closedAt ?? Infinity) - start).toBeLessThan(days(30))
      const found = certificate?.resources.map((resource) => [resource.name, resource.remaining])
      expect(found).toEqual(['connections', 'access-keys', 'mappings', 'sync-logs'].map((name) => [name, 0]))
    }
    expect(first?.survivors).toEqual([])
    expect(second?.survivors).toEqual([{ what: 'revocation', name: 'crm', count: 1, until: expect.any(Number) }])
    expect(await rows(rival)).toEqual([1, 3, 2])
  })
})
