/** Making a vault, once. */

import { equalBytes, wipe } from '../crypto/hash.ts'
import { randomBytes } from '../crypto/random.ts'
import { hasCode, StrongroomError } from '../errors.ts'
import { EMPTY } from '../format/bytes.ts'
import { childSalt, childWrapKey, serviceKey } from '../format/derivations.ts'
import { KeyState, NodeKind, type NodeRecord, type VaultRecord } from '../format/records.ts'
import { NO_REF, nodeRef, serviceName, VAULT_REF } from '../format/reference.ts'
import { vaultRecordCheck } from '../format/vault-record-check.ts'
import { firstNodes } from '../keys/create-tenant.ts'
import { hasLedger, settleFirstEntry, withdrawFirstEntry, writeFirstEntry } from '../keys/first-entry.ts'
import { bytesStep, type Step } from '../keys/known-refs.ts'
import { LEDGER_START } from '../keys/ledger.ts'
import { firstRecord, makeVersion } from '../keys/make-version.ts'
import { rootEntry, withRootVersion } from '../keys/regions.ts'
import { findVaultRecord, settleBootstrap } from '../keys/vault-record.ts'
import { makeFirstWrappingKey } from '../keys/wrapping-keys.ts'
import { checkOptions, type VaultOptions } from './options.ts'
import { SIGNING_STEP } from './signing-key.ts'

const DEFAULT_CACHE_BOUND = 60_000

/** The step from the vault's node to its ledger key. */
export const LEDGER_STEP: Step = bytesStep(NodeKind.service, serviceName('ledger', EMPTY))

/**
 * Makes a vault in an empty key store, with its home in `defaultRegion`. An operator's act, once: services only open it.
 * One atomic write makes it: killed before, there is no vault; killed after, the next `openVault` finishes.
 *
 * @throws StrongroomError `already_exists` (also where the state store has a ledger already), `invalid_argument`, `region_refused`, and for stores and provider their `…_unavailable`
 * @example
 * ```ts
 * import { initVault, type VaultOptions } from '@strongroom/core'
 *
 * async function once(options: VaultOptions) {
 *   await initVault({ ...options, cacheBound: 30_000 })
 * }
 * ```
 */
export async function initVault(options: VaultOptions): Promise<void> {
  const checked = checkOptions(options)
  const { keyStore, stateStore, clock, providers, defaultRegion: region } = checked
  await keyStore.prepare?.()
  await stateStore.prepare?.()
  if ((await findVaultRecord(keyStore)) !== undefined) throw alreadyExists()
  const [left] = await keyStore.scan({ type: 'node', limit: 1 })
  if (left !== undefined) {
    throw new StrongroomError(
      'already_exists',
      'this key store holds keys, but not the record of their vault: restore its backup, or use an empty store',
    )
  }
  if (!checked.besideAnotherVault && (await hasLedger(stateStore))) {
    // Another may have made the vault meanwhile.
    if ((await findVaultRecord(keyStore)) !== undefined) throw alreadyExists()
    throw new StrongroomError(
      'already_exists',
      "this state store has the ledger of a vault, whose keys are not in this key store: put that key store back (is it mounted, is its name right?), or use an empty state store; only to keep two vaults' ledgers in one store, say besideAnotherVault",
    )
  }
  const context = { vaultId: randomBytes(16), clock, keyStore, stateStore, providers }

  const wrapping = await makeFirstWrappingKey(context, VAULT_REF, region)
  const rootVersion = wrapping.record.wraps[0]?.rootVersion
  if (rootVersion === undefined)
    throw new StrongroomError('key_provider_unavailable', 'the key provider did not say which root version it used')
  const place = { kind: NodeKind.vault, ref: VAULT_REF, parentRef: NO_REF, tenantRef: VAULT_REF, region }
  const { node, refNode, secret, refSecret } = firstNodes(context, place, wrapping.key, wrapping.record.id)

  const refKey = serviceKey(refSecret, 'ref')
  const own = node.versions[0]
  if (own === undefined || own.state === KeyState.shredded) throw new TypeError('a fresh node has a live version')
  const wrapKey = childWrapKey(wrapping.key, childSalt(secret))
  const makeService = ({ kind, name }: Step): { readonly record: NodeRecord; readonly secret: Uint8Array } => {
    const at = { ...place, kind, ref: nodeRef(refKey, kind, VAULT_REF, name), parentRef: VAULT_REF }
    const made = makeVersion(context, at, 1, own, { key: wrapKey, wrappingKeyId: wrapping.record.id })
    return { record: firstRecord(at, made.version), secret: made.secret }
  }
  const ledgerNode = makeService(LEDGER_STEP)
  const ledgerKey = serviceKey(ledgerNode.secret, 'ledger')
  // Here, and nowhere else: a key store that is restored has the key whose public half was published.
  const signingNode = makeService(SIGNING_STEP)

  try {
    // The ledger knows of the root version before anything that it wrapped is stored.
    const created = rootEntry('rootCreated', region, rootVersion, clock.now())
    const first = { ...created, vaultId: context.vaultId, n: 1, previous: LEDGER_START.hash }
    const { hash } = await writeFirstEntry(context, ledgerKey, first)
    const fixed = {
      vaultId: context.vaultId,
      homeRegion: region,
      cacheBound: checked.cacheBound ?? DEFAULT_CACHE_BOUND,
      created: clock.now(),
    }
    const record: VaultRecord = {
      type: 'vault',
      revision: 1,
      ...fixed,
      check: vaultRecordCheck(ledgerKey, fixed),
      head: { n: 1, hash },
      applied: 1,
      bootstrap: [
        wrapping.record,
        node,
        refNode,
        ledgerNode.record,
        signingNode.record,
        withRootVersion(undefined, region, rootVersion, { n: 1, hash, instant: created.instant }),
      ],
    }
    try {
      await keyStore.put(record)
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error
      // A driver that sends a write again, because its answer was lost, meets the write itself.
      const there = await findVaultRecord(keyStore)
      if (there === undefined || !equalBytes(there.vaultId, context.vaultId)) {
        await withdrawFirstEntry(context)
        throw alreadyExists()
      }
    }
    await settleFirstEntry(context)
    await settleBootstrap(keyStore, record)
  } finally {
    wipe(wrapping.key, secret, refSecret, refKey, wrapKey, ledgerNode.secret, ledgerKey, signingNode.secret)
  }
}

function alreadyExists(): StrongroomError {
  return new StrongroomError('already_exists', 'this key store holds a vault already; open it with openVault')
}
