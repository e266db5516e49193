// What the tests of certificates stand on: a vault whose epochs close at once, and a shred in it.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

import {
  days,
  field,
  hours,
  initVault,
  type KeyProvider,
  minutes,
  openVault,
  type Shredded,
  type Vault,
  verifyReceipt,
} from '@strongroom/core'
import { manualClock, memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { definePolicy } from '@strongroom/erasure'
import { z } from 'zod'

import type { CertificateFacts, ErasedKind } from '#erasure/certificate/certificate.js'
import { issueCertificate } from '#erasure/certificate/issue.js'
import { toText } from '#erasure/certificate/text-form.js'

export const START = Date.UTC(2030, 0, 1)
const BOUND = 100
const email = field('users', 'email', z.email())

export const POLICY = definePolicy({
  deadline: days(60),
  grace: days(30),
  sweep: hours(1),
  cacheBound: minutes(1),
  epoch: days(7),
  providerDelay: 0,
  copies: days(14),
})

export interface World {
  readonly vault: Vault
  readonly clock: ReturnType<typeof manualClock>
  readonly trusted: readonly Uint8Array[]
}

/** A vault that is open and has the tenant `acme`. Its wall clock stands still; waits pass in real time. */
export async function world(): Promise<World> {
  const clock = manualClock(START)
  const inner = memoryKeyProvider()
  const provider: KeyProvider = {
    ...inner,
    async destroyVersion(number, options) {
      const { level } = await inner.destroyVersion(number, options)
      return { level, effectiveAt: clock.now(), copiesUntil: clock.now() }
    },
  }
  const options = {
    keyProviders: { eu: provider },
    defaultRegion: 'eu',
    keyStore: memoryKeyStore(),
    stateStore: memoryStateStore(),
    clock: { now: () => clock.now(), monotonic: () => performance.now() },
    cacheBound: BOUND,
  }
  await initVault(options)
  const vault = await openVault(options)
  await vault.tenants.create('acme')
  return { vault, clock, trusted: await vault.receiptKeys() }
}

/** From now on no backup brings back what is shredded. */
export async function closeEpoch(vault: Vault): Promise<void> {
  for await (const _ of vault.rotateRootKey());
  for await (const _ of vault.closeEpoch({ dangerouslyWithoutBackup: true }));
}

/** The facts of an erasure that has ended, as of now. */
export async function factsOf(
  vault: Vault,
  kind: ErasedKind,
  references: readonly string[],
  { receipt }: Pick<Shredded, 'receipt'>,
): Promise<CertificateFacts> {
  const { region, rootVersion } = verifyReceipt(receipt, await vault.receiptKeys())
  return {
    kind,
    references,
    reason: 'accountDeleted',
    requestedAt: START,
    suspendedAt: START + 1,
    dueAt: START + days(30),
    erasedAt: START + days(30) + hours(2),
    policy: POLICY,
    receipt,
    resources: [
      { name: 'users', found: 1, remaining: 0, verifiedAt: START + days(30) + hours(1) },
      { name: 'sync logs', found: 1200, remaining: 0, verifiedAt: START + days(30) + hours(2) },
    ],
    survivors: [
      { what: 'revocation', name: 'hubspot', count: 2, until: START + days(37) },
      { what: 'index', name: 'users.email', scope: 'tenant', generation: 1 },
    ],
    finality: await vault.finality({ region, rootVersion }),
  }
}

/** Alice of `acme`, shredded, and her epoch closed. */
export async function erasedAlice({ vault, clock }: World): Promise<CertificateFacts> {
  const alice = vault.tenant('acme').subject('alice')
  const references = await alice.references()
  await alice.encrypt(email, 'ada@example.com')
  clock.jump(days(30))
  const shredded = await alice.shred({ reason: 'accountDeleted' })
  clock.jump(days(7))
  await closeEpoch(vault)
  return factsOf(vault, 'subject', references, shredded)
}

/** A key of the test's own, and what it signs as a certificate is signed. */
export interface Signer {
  /** As a key that is trusted as one of a vault. */
  trustedAs(vaultId: string): Uint8Array
  certificate(body: Uint8Array | string): string
}

export function signer(label = 'strongroom/v1/closure-certificate'): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = rawKey(publicKey)
  return {
    trustedAs: (vaultId) => new Uint8Array(Buffer.concat([Buffer.from(vaultId, 'hex'), raw])),
    certificate(said) {
      const body = Buffer.from(said)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(label))
      return toText({ body, publicKey: raw, signature: sign(null, Buffer.concat([length, Buffer.from(label), body]), privateKey) })
    },
  }
}

function rawKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32))
}

/** The body of a certificate, as text. */
export function bodyOf(certificate: string): string {
  return Buffer.from(certificate.split('.')[1] ?? '', 'base64url').toString()
}

/** Somebody new of a tenant, shredded, with a certificate for whom the root version is taken for destroyed at once: its epoch stays open. */
export async function closedAlice(
  vault: Vault,
  tenant: string,
): Promise<{
  readonly certificate: string
  readonly receipt: string
  readonly references: readonly string[]
  readonly requestedAt: number
}> {
  const alice = vault.tenant(tenant).subject('alice')
  const references = await alice.references()
  const shredded = await alice.shred({ reason: 'accountDeleted' })
  const [facts, at] = [await factsOf(vault, 'subject', references, shredded), vault.clock.now()]
  const versions = [{ number: shredded.rootVersion, level: 'operator-asserted', effectiveAt: at, copiesUntil: at }] as const
  const finality = { at, final: true, blockedBy: [], versions }
  const requestedAt = at - days(30)
  const resources = facts.resources.map((each) => ({ ...each, verifiedAt: at }))
  const instants = { requestedAt, suspendedAt: requestedAt + 1, dueAt: shredded.instant, erasedAt: at }
  const certificate = await issueCertificate(vault, { ...facts, ...instants, resources, finality })
  return { certificate, receipt: shredded.receipt, references, requestedAt }
}
