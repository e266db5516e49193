/** Subjects and items: whoever has the right to be forgotten, and what can be deleted on its own. */

import { wipe } from '../crypto/hash.ts'
import { decryptFailed } from '../errors.ts'
import type { Encrypted, Field } from '../field.ts'
import { NodeKind } from '../format/records.ts'
import { openValue, sealFrame } from '../keys/seal-value.ts'
import type { PlaceNames } from './authorize.ts'
import { leaf } from './held-path.ts'
import type { UnlockedKeys } from './lease.ts'
import { namedStep } from './names.ts'
import type { Place, RecreateOptions } from './place.ts'
import type { PlaceState } from './place-state.ts'
import { rawSubjectKey, type RawSubjectKeyOptions } from './raw-subject-key.ts'
import { type ShredOptions, shredPlace } from './shred-place.ts'
import type { Shredded } from './shredded.ts'
import { unlockingBeforeShred, unlockingOf, type UnlockOptions } from './unlock.ts'
import { recordScalar, requireField, storedBytes, type ValueOptions } from './value-arguments.ts'

/** One part of a subject that can be deleted on its own: a connection, a recording. */
export interface Item {
  /**
   * Encrypts a value under this key; makes the key where there is none.
   *
   * @throws StrongroomError `invalid_argument`, `not_found` (no such tenant), `shredded`, `suspended`, `deactivated`,
   *   `region_refused`, `key_provider_unavailable`, `key_provider_timeout`, `key_provider_throttled`, `key_store_unavailable`, `denied`
   */
  encrypt<T>(field: Field<T>, value: T, options?: ValueOptions): Promise<Encrypted<T>>
  /**
   * Decrypts what `encrypt` of the same path, field and record returned, as bytes or in text form.
   *
   * @throws StrongroomError as `encrypt`, and `decrypt_failed`, `schema_mismatch`, `retired`
   */
  decrypt<T>(field: Field<T>, stored: Encrypted<T> | Uint8Array | string, options?: ValueOptions): Promise<T>
  /** Opens the keys for synchronous use, for at most the cache bound. @throws StrongroomError as `encrypt` */
  unlock(options?: UnlockOptions): Promise<UnlockedKeys>
  /**
   * Opens the keys to read what has to be taken out before they are shredded, such as a token that is to be revoked: also while they are
   * suspended, and nothing is encrypted with them. `onAccess` sees `decryptBeforeShred`.
   *
   * @throws StrongroomError as `decrypt`, without `suspended`
   */
  unlockBeforeShred(): Promise<Pick<UnlockedKeys, 'decrypt' | 'dispose'>>
  /**
   * What the key store says of the key, without making or opening one: `absent` where there is none and the next that encrypts makes one, `gone`
   * beneath what is shredded, `suspended` also beneath what is. Whether the key opens only its use shows.
   *
   * @throws StrongroomError `not_found` (no such tenant), `region_refused`, `decrypt_failed` (the tenant's own key), `denied`, and for stores
   *   and provider their `…_unavailable`
   */
  state(): Promise<PlaceState>
  /** As `state`, but `suspended` only where this key is so itself, which `resume` of it would end. @throws StrongroomError as `state` */
  ownState(): Promise<PlaceState>
  /**
   * The vault's own references from the tenant down to this place, each of 32 hexadecimal digits: what a package that keeps records about it
   * calls it by, so that they hold no names. Opens the tenant; makes no key.
   *
   * @throws StrongroomError as `state`, and `shredded` where the tenant is
   */
  references(): Promise<readonly string[]>
  /** The names that this handle was made with. */
  names(): PlaceNames
  /**
   * Destroys the key for good, and with it all that was encrypted under it and beneath it. In this process at once, in
   * every other within the cache bound; in backups of the key store not before the root versions up to `rootVersion` are destroyed.
   *
   * Of a subject or tenant that has connections, the tokens are put by first, to be revoked (`@strongroom/credentials`): `kept` says under
   * which keys and until when.
   *
   * @throws StrongroomError `held` (a legal hold stands on it, above it or beneath it), `revocation_required` (there are connections, and nothing in this process can revoke them), `ledger_invalid`,
   *   `region_refused`, and for stores and provider their `…_unavailable`; repeat it then
   */
  shred(options?: ShredOptions): Promise<Shredded>
  /**
   * Fills a place that was shredded with a new key, on purpose: without it, encrypting there is refused. What the old key encrypted stays dead.
   *
   * @throws StrongroomError `not_found` (nothing was shredded there), `already_exists`, `shredded` (what is above is gone), `erasure_pending` (data of the
   *   old life is still being erased), and as `shred`
   */
  recreate(options: RecreateOptions): Promise<void>
  /** Neither encrypts nor decrypts from now on, within the cache bound everywhere. @throws StrongroomError as `shred`, and `shredded` */
  suspend(): Promise<void>
  /** Undoes `suspend`. @throws StrongroomError as `suspend`, and `not_found` */
  resume(): Promise<void>
}

/** Whoever has the right to be forgotten: a user, a contact; or the tenant's own things (`tenant.self()`). */
export interface Subject extends Item {
  /** A part of this subject with a key of its own. @throws StrongroomError `invalid_argument` */
  item(name: string): Item
  /**
   * Uses a key of this subject's, for constructions that core does not have: **its bytes leave core.** For packages that make pseudonyms. Made
   * where there is none; gone with the subject.
   *
   * @param work - gets 32 bytes, wiped once it returns: it keeps no copy or view of them
   * @throws StrongroomError as `encrypt`
   */
  rawKey<T>(options: RawSubjectKeyOptions, work: (key: Uint8Array) => T): Promise<T>
  /** As `shred`, whatever connections there are: their tokens stay good at their providers, and nobody can revoke them any more. Holds are heeded. */
  shredWithoutRevocation(options?: ShredOptions): Promise<Shredded>
}

/** An item, and what subjects have in common with it. */
export class ItemHandle implements Item {
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  /** The place of a handle that this class made; of anything else `undefined`. */
  static placeOf(handle: unknown): Place | undefined {
    return typeof handle === 'object' && handle !== null && #place in handle ? handle.#place : undefined
  }

  async encrypt<T>(field: Field<T>, value: T, options?: ValueOptions): Promise<Encrypted<T>> {
    requireField(field)
    const record = recordScalar(options)
    const frame = field.frame(value)
    try {
      return await this.#place.use({ operation: 'encrypt', about: field, mint: true }, (path) => {
        if (path === undefined) throw decryptFailed()
        return sealFrame(leaf(path), field.names[0], frame, record)
      })
    } finally {
      wipe(frame)
    }
  }

  async decrypt<T>(field: Field<T>, stored: Encrypted<T> | Uint8Array | string, options?: ValueOptions): Promise<T> {
    requireField(field)
    const record = recordScalar(options)
    const bytes = storedBytes(stored)
    return this.#place.use({ operation: 'decrypt', about: field, mint: false }, (path) => {
      if (path === undefined) throw decryptFailed()
      return openValue(leaf(path), field, bytes, record)
    })
  }

  async unlock(options?: UnlockOptions): Promise<UnlockedKeys> {
    const unlocking = unlockingOf(this.#place, options)
    return this.#place.use(unlocking.how, (path) => unlocking.leaseOf(this.#place, path))
  }

  async unlockBeforeShred(): Promise<Pick<UnlockedKeys, 'decrypt' | 'dispose'>> {
    const unlocking = unlockingBeforeShred(this.#place)
    return this.#place.use(unlocking.how, (path) => unlocking.leaseOf(this.#place, path))
  }

  state(): Promise<PlaceState> {
    return this.#place.state('any')
  }

  ownState(): Promise<PlaceState> {
    return this.#place.state('own')
  }

  references(): Promise<readonly string[]> {
    return this.#place.referencesInText()
  }

  names(): PlaceNames {
    return { ...this.#place.whose }
  }

  shred(options?: ShredOptions): Promise<Shredded> {
    return shredPlace(this.#place, options)
  }

  recreate(options: RecreateOptions): Promise<void> {
    return this.#place.recreate(options)
  }

  suspend(): Promise<void> {
    return this.#place.changeSuspension('suspend')
  }

  resume(): Promise<void> {
    return this.#place.changeSuspension('resume')
  }
}

/** A subject: an item that has items. */
export class SubjectHandle extends ItemHandle implements Subject {
  readonly #place: Place

  constructor(place: Place) {
    super(place)
    this.#place = place
  }

  item(name: string): Item {
    return new ItemHandle(this.#place.below(namedStep(NodeKind.item, name, 'item'), { ...this.#place.whose, item: name }))
  }

  rawKey<T>(options: RawSubjectKeyOptions, work: (key: Uint8Array) => T): Promise<T> {
    return rawSubjectKey(this.#place, options, work)
  }

  shredWithoutRevocation(options?: ShredOptions): Promise<Shredded> {
    return shredPlace(this.#place, options, 'nobody')
  }
}
