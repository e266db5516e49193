/** A root key file that a process has open: read anew before each use, changed only under the lock. */

import { equalBytes, wipe } from '@strongroom/core'

import { assertContinues } from './continuity.ts'
import { fileInvalid, unavailable } from './errors.ts'
import { parseFile } from './file-format.ts'
import { readRootFile, realFile, writeRootFile } from './file-io.ts'
import { assertNotAborted, withFileLock } from './file-lock.ts'
import type { Header, VersionEntry } from './header.ts'
import { doesNotOpen, fileKey, type Protector } from './protector.ts'
import { openFile, type RootKeys, sealFile } from './sealed-file.ts'
import { Turns } from './turns.ts'

/** The file as last read. Its keys are wiped when it is read anew or closed: use them at once, never after an `await`. */
export interface OpenRoot {
  readonly header: Header
  readonly keys: RootKeys
}

/** What a change leaves in the file. */
export interface RootChange {
  readonly versions: readonly VersionEntry[]
  readonly keys: RootKeys
}

interface Snapshot extends OpenRoot {
  readonly bytes: Uint8Array
}

export class RootFile {
  readonly #path: string
  readonly #key: Uint8Array
  readonly #turns = new Turns()
  #current: Snapshot | undefined
  #nextRefresh: Promise<void> | undefined

  private constructor(path: string, key: Uint8Array, current: Snapshot) {
    this.#path = path
    this.#key = key
    this.#current = current
  }

  /** Opens a file. The protector is wiped, whatever happens. */
  static async open(path: string, protector: Protector): Promise<RootFile> {
    try {
      const bytes = await readRootFile(path)
      const file = parseFile(bytes)
      const key = await fileKey(protector, file.header.protection)
      const keys = openFile(key, file)
      if (keys !== undefined) return new RootFile(path, key, { bytes, header: file.header, keys })
      wipe(key)
      throw doesNotOpen(protector.kind)
    } finally {
      wipe(protector.bytes)
    }
  }

  /** The header as last read. */
  get header(): Header {
    return this.#open().header
  }

  /** Reads the file if it has changed, then runs `work`, in one go. */
  async use<T>(signal: AbortSignal | undefined, work: (root: OpenRoot) => T): Promise<T> {
    assertNotAborted(signal)
    await this.#refresh()
    return work(this.#open())
  }

  /**
   * Under the lock: reads the file, writes what `apply` makes of it as the next generation, and reads that back. `apply` throws to
   * refuse and returns `undefined` if there is nothing to do. Keys that it adds are wiped here.
   */
  async change(signal: AbortSignal | undefined, apply: (root: OpenRoot) => RootChange | undefined): Promise<Header> {
    assertNotAborted(signal)
    this.#open()
    // The file itself, so that a symbolic link to it stays one.
    const path = await realFile(this.#path)
    // The lock first, the turn inside it: reads of this process do not wait while another process holds the lock.
    return withFileLock(`${path}.lock`, signal, () =>
      this.#turns.run(async () => {
        await this.#load(path)
        const root = this.#open()
        const change = apply(root)
        if (change === undefined) return root.header
        const header: Header = { ...root.header, generation: root.header.generation + 1, versions: change.versions }
        await writeRootFile(path, this.#seal(header, change.keys, root.keys), 'replace')
        await this.#load(path)
        return header
      }),
    )
  }

  /** Wipes every key. Whatever is called later throws `key_provider_unavailable`. */
  close(): void {
    if (this.#current !== undefined) wipe(...this.#current.keys.values())
    this.#current = undefined
    wipe(this.#key)
  }

  #open(): Snapshot {
    if (this.#current === undefined) throw unavailable('the key provider was closed')
    return this.#current
  }

  #seal(header: Header, keys: RootKeys, before: RootKeys): Uint8Array {
    try {
      return sealFile(this.#key, header, keys)
    } finally {
      for (const [number, key] of keys) if (!before.has(number)) wipe(key)
    }
  }

  // Calls that come while a refresh waits for its turn share it; those that come once it reads wait for the next one. So each
  // call sees the file as it is after the call began, and a thousand calls at once are two reads.
  #refresh(): Promise<void> {
    this.#nextRefresh ??= this.#turns.run(() => {
      this.#nextRefresh = undefined
      return this.#load(this.#path)
    })
    return this.#nextRefresh
  }

  async #load(path: string): Promise<void> {
    const bytes = await readRootFile(path)
    const seen = this.#open()
    if (equalBytes(bytes, seen.bytes)) return
    const file = parseFile(bytes)
    assertContinues(seen.header, file.header)
    const keys = openFile(this.#key, file)
    if (keys === undefined) throw fileInvalid('was altered since it was opened')
    this.#current = { bytes, header: file.header, keys }
    wipe(...seen.keys.values())
  }
}
