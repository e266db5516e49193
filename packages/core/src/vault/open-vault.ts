/** Opening a vault. */

import type { Clock } from '../clock.ts'
import type { Sweepable, SweepOptions, SweepReport } from '../sweepable.ts'
import { invalidArgument } from '../errors.ts'
import { hex, isBytes } from '../format/bytes.ts'
import { VAULT_REF } from '../format/reference.ts'
import { KnownRef } from '../keys/known-refs.ts'
import { Gate } from './authorize.ts'
import { type BlindIndexes, blindIndexes } from './blind-index.ts'
import { epochs, type Epochs } from './epochs.ts'
import { inspection, type Inspection } from './inspection.ts'
import { knownItem, type KnownItem } from './known-item.ts'
import { openKeys } from './open-keys.ts'
import { checkOptions, type VaultOptions } from './options.ts'
import { openOnly } from './open-only.ts'
import type { StateStore } from '../keys/state-store.ts'
import { type PeriodKey, periodKey, type PeriodKeyOptions } from './period-key.ts'
import { PeriodNotes } from './period-notes.ts'
import { sweepPeriods } from './period-sweep.ts'
import { Place } from './place.ts'
import { type GuardedNamespace, type ShredGuard, ShredGuards, type VaultKeys } from './shred-guards.ts'
import { type CertificateSignature, signCertificateBody } from './certificate-signature.ts'
import { receiptKeys } from './signing-key.ts'
import { type Item, ItemHandle } from './subject.ts'
import { tenantHandle, type Tenant, type Tenants, tenants } from './tenants.ts'

/** What can be done with a key that no shred destroys. */
export type NeverShredded = Pick<Item, 'encrypt' | 'decrypt'>

/** An open vault: one for each process, for as long as that runs. */
export interface Vault extends Epochs, Inspection, BlindIndexes, Sweepable {
  readonly tenants: Tenants
  /** As the vault was opened with it: what calls without a `region` work on. */
  readonly defaultRegion: string
  /** The vault's id, 32 hexadecimal digits: what a package that keeps records in the state store begins their keys with, since vaults may share one. */
  readonly id: string
  /** As the vault was opened with it, for packages that keep records of their own there. It throws typed errors only; `vault_closed` after `close`. */
  readonly stateStore: StateStore
  /** As the vault was opened with it. */
  readonly clock: Clock
  /** As the vault was made with it, in milliseconds: what was changed is so in every process after so long. */
  readonly cacheBound: number
  /**
   * A key of the vault itself, for one use and one period.
   *
   * @throws StrongroomError `invalid_argument`, `vault_closed`
   * @example
   * ```ts
   * import { encryptedToText, field, type Vault } from '@strongroom/core'
   * import { z } from 'zod'
   *
   * const token = field('revocations', 'token', z.string())
   * async function keepUntilRevoked(vault: Vault, value: string) {
   *   return encryptedToText(await vault.periodKey({ use: 'revocation', at: vault.clock.now() }).encrypt(token, value))
   * }
   * ```
   */
  periodKey(options: PeriodKeyOptions): PeriodKey
  /**
   * The vault's own key, for records that packages keep in the state store about whom they serve: whoever only writes that store invents and
   * alters none, and nobody reads one without the vault. **It is never shredded**: what is encrypted here can be read by whoever has the vault for
   * as long as a copy of it exists. Bind each to its place by `record`; an older one of the same place opens as well.
   */
  readonly neverShredded: NeverShredded
  /**
   * Destroys the keys whose period is over: of the vault's own uses, whatever was noted, and those of all tenants that are noted as due. Whatever
   * makes such keys calls it in its own `sweep`.
   */
  sweep(options?: SweepOptions): Promise<SweepReport>
  /**
   * An item of whoever is known by references alone, as `references()` has given them: for a package that keeps records of its items without
   * anybody's name, and has to end them. Reads nothing yet.
   *
   * @param owner - two references: the tenant's, the subject's
   * @param name - the item's, as the package has called it
   * @throws StrongroomError `invalid_argument`, `vault_closed`
   */
  item(owner: readonly string[], name: string): KnownItem
  /**
   * For a package that keeps entries in the state store about what is encrypted in the tree: has it called before the keys of a person or a
   * tenant go that has any, and once they are gone. Every other process refuses such a shred with `revocation_required`.
   *
   * @throws StrongroomError `invalid_argument`
   */
  guardShreds(namespace: GuardedNamespace, guard: ShredGuard): void
  /** A tenant by name. Reads nothing yet. @throws StrongroomError `invalid_argument`, `vault_closed` */
  tenant(name: string): Tenant
  /**
   * Makes the key store agree with the whole ledger again. `openVault` does it for all that the key store has not acknowledged;
   * call this where single records were put back into the key store by hand.
   *
   * @returns how many ledger entries were looked at
   * @throws StrongroomError `ledger_invalid`, and for the stores their `…_unavailable`
   */
  reconcile(): Promise<{ readonly entries: number }>
  /**
   * The public keys that sign this vault's receipts, each behind the vault's id, 48 bytes together: publish them, so that `verifyReceipt` can be given
   * keys that are trusted, and no other vault's key passes for one of this.
   *
   * They are made with the vault: from then on each copy of the key store holds them.
   *
   * @throws StrongroomError `vault_closed`, `decrypt_failed` (the key store was altered), and what stores and provider throw
   */
  receiptKeys(): Promise<readonly Uint8Array[]>
  /**
   * Signs the bytes of a closure certificate, with the key that signs receipts and a label of its own: for packages that issue them.
   * `verifyCertificateSignature` is its counterpart.
   *
   * @param body - as it stands: whoever calls this vouches for what it says
   * @throws StrongroomError `invalid_argument`, and as `receiptKeys`
   */
  signCertificate(body: Uint8Array): Promise<CertificateSignature>
  /** Wipes the keys, refuses further calls, and closes the stores that came with a `close`. */
  close(): Promise<void>
}

/**
 * Opens a vault, and puts a key store right that was restored from before a shred.
 *
 * @throws StrongroomError `vault_not_initialised`, `invalid_argument`, `wrong_root_key`, `region_refused` (no provider for the
 *   vault's home region), `ledger_invalid`, `decrypt_failed` (the key store was altered), and for stores and provider their `…_unavailable`
 * @example
 * ```ts
 * import { field, openVault, type VaultOptions } from '@strongroom/core'
 * import { z } from 'zod'
 *
 * const email = field('users', 'email', z.email())
 *
 * async function example(options: VaultOptions) {
 *   const vault = await openVault(options)
 *   await vault.tenants.create('acme')
 *   const alice = vault.tenant('acme').subject('alice')
 *   const stored = await alice.encrypt(email, 'ada@example.com')
 *   console.log(await alice.decrypt(email, stored))
 *   await vault.close()
 * }
 * ```
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const checked = checkOptions(options)
  const { keyStore, clock, providers, defaultRegion } = checked
  const opened = await openKeys(checked)
  const { tree, ledger, reconciler } = opened.keys
  const keys: VaultKeys = {
    ...opened.keys,
    guards: new ShredGuards(checked.stateStore, tree.context.vaultId),
    notes: new PeriodNotes(tree),
  }
  // Before anything is written to stores that were restored together.
  if (checked.ledgerAtLeast !== undefined) await ledger.requireReached(checked.ledgerAtLeast)
  await reconciler.run()

  const stopWatching = keyStore.watch?.((changed) => {
    if (changed === undefined) tree.clear()
    else for (const key of changed) if (key.type === 'node') tree.invalidate(key.ref)
  })
  const gate = new Gate({ clock, providers, onAccess: checked.onAccess })
  const own = new Place(keys, gate, new KnownRef(VAULT_REF), {}, [])
  return {
    ...epochs(keys, gate, defaultRegion),
    ...inspection(keys, gate),
    ...blindIndexes(own),
    tenants: tenants(keys, gate, defaultRegion),
    defaultRegion,
    id: hex(tree.context.vaultId),
    stateStore: openOnly(checked.stateStore, gate),
    clock,
    cacheBound: tree.context.cacheBound,
    neverShredded: new ItemHandle(own),
    periodKey(which) {
      gate.requireOpen()
      return periodKey(own, which)
    },
    name: 'vault',
    sweep: (how) => sweepPeriods(keys, gate, how),
    item(owner, name) {
      gate.requireOpen()
      return knownItem(keys, gate, owner, name)
    },
    guardShreds(namespace, guard) {
      keys.guards.add(namespace, guard)
    },
    tenant(name) {
      gate.requireOpen()
      return tenantHandle(keys, gate, name)
    },
    async reconcile() {
      gate.authorize('reconcile', {}, undefined)
      const { entries } = await reconciler.run({ again: 'all' })
      return { entries }
    },
    async receiptKeys() {
      gate.authorize('receiptKeys', {}, undefined)
      return receiptKeys(keys)
    },
    async signCertificate(body) {
      if (!isBytes(body)) throw invalidArgument('body', 'must be bytes')
      gate.authorize('signCertificate', {}, undefined)
      return signCertificateBody(keys, body)
    },
    async close() {
      gate.close()
      stopWatching?.()
      tree.close()
      await checked.close?.()
    },
  }
}
