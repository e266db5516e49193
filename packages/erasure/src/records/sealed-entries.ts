/** Entries of the state store, each encrypted under the vault's own key and bound to its own key there. */

import { dueEntries, type Field, scanEntries, type StateEntry, type StateVersion, StrongroomError, type Vault } from '@strongroom/core'

/** An entry, opened. */
export interface SealedEntry<T> {
  readonly key: string
  readonly value: T
  readonly version: StateVersion
}

export class SealedEntries<T> {
  readonly #vault: Vault
  readonly #namespace: string
  readonly #field: Field<T>

  constructor(vault: Vault, namespace: string, field: Field<T>) {
    this.#vault = vault
    this.#namespace = namespace
    this.#field = field
  }

  /** @throws StrongroomError `decrypt_failed` for what was not put there by this vault */
  async get(key: string): Promise<SealedEntry<T> | undefined> {
    const entry = await this.read(key)
    return entry === undefined ? undefined : this.open(entry)
  }

  /** An entry as it is stored. */
  async read(key: string): Promise<StateEntry | undefined> {
    const entry = await this.#vault.stateStore.get(this.#namespace, key)
    return entry === undefined ? undefined : { key, ...entry }
  }

  /** Opens an entry that was read with others. @throws StrongroomError as `get` */
  async open({ key, value, version }: StateEntry): Promise<SealedEntry<T>> {
    return { key, value: await this.#vault.neverShredded.decrypt(this.#field, value, this.#boundTo(key)), version }
  }

  /** @throws StrongroomError `conflict` */
  async put(key: string, value: T, expected: StateVersion | 'absent', due?: number): Promise<SealedEntry<T>> {
    const sealed = await this.#vault.neverShredded.encrypt(this.#field, withoutUndefined(value), this.#boundTo(key))
    const options = due === undefined ? { expected } : { expected, due }
    return { key, value, version: await this.#vault.stateStore.put(this.#namespace, key, sealed, options) }
  }

  /** Puts what is the same whoever puts it. */
  async putUnlessThere(key: string, value: T): Promise<void> {
    await this.put(key, value, 'absent').catch(unlessConflict)
  }

  /** Removes it, if it is still the one that was read. */
  async remove({ key, version }: Pick<StateEntry, 'key' | 'version'>): Promise<boolean> {
    try {
      await this.delete({ key, version })
      return true
    } catch (error) {
      unlessConflict(error)
      return false
    }
  }

  /** @throws StrongroomError `conflict` where it is not the one that was read */
  delete({ key, version }: Pick<StateEntry, 'key' | 'version'>): Promise<void> {
    return this.#vault.stateStore.delete(this.#namespace, key, { expected: version })
  }

  /** This vault's entries that are due, oldest first, as they are stored. */
  due(before: number, from?: number): AsyncGenerator<StateEntry> {
    return dueEntries(this.#vault.stateStore, this.#namespace, { vaultId: this.#vault.id, before, from })
  }

  /** Those whose keys begin with something, as they are stored. */
  scan(prefix: string): AsyncGenerator<StateEntry> {
    return scanEntries(this.#vault.stateStore, this.#namespace, prefix)
  }

  // Neither moved to another place nor taken for another kind of entry.
  #boundTo(key: string): { readonly record: string } {
    return { record: `${this.#namespace}/${key}` }
  }
}

export function isConflict(error: unknown): boolean {
  return error instanceof StrongroomError && error.code === 'conflict'
}

export function unlessConflict(error: unknown): void {
  if (!isConflict(error)) throw error
}

export function isDamaged(error: unknown): error is StrongroomError {
  return error instanceof StrongroomError && ['decrypt_failed', 'schema_mismatch'].includes(error.code)
}

export function unlessDamaged(error: unknown): undefined {
  if (!isDamaged(error)) throw error
}

/** For what takes a record's place: what this vault has written, in a form of another version of the package, stays. */
export function unlessAltered(error: unknown): undefined {
  if (!(error instanceof StrongroomError && error.code === 'decrypt_failed')) throw error
}

// A value is encrypted only if JSON gives back the same.
function withoutUndefined<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
