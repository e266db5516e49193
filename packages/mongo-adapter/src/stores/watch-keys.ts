/** News of changed keys by a change stream. It only makes them faster, and is silent where the server has none. */

import { setTimeout as pause } from 'node:timers/promises'

import type { KeyStore } from '@strongroom/core'
import { type Binary, type Collection, MongoOperationTimeoutError, MongoServerError } from 'mongodb'

import { keyAt } from './key-places.ts'
import type { Stored } from './options.ts'

type OnChange = Parameters<NonNullable<KeyStore['watch']>>[0]

/** What a key store has of it. */
export interface KeyChanges {
  /** Says that this process makes a write: nobody is told of it. */
  own(write: Binary): void
  /** It was not made after all. */
  disown(write: Binary): void
  watch(onChange: OnChange): () => void
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 30_000
// Writes under way, and those whose news is on its way. Of a write that ended without an answer there may never be news.
const MOST_OWN = 100_000
// Of a server that is no member of a replica set, and of one that does not know the stage.
const WITHOUT_CHANGE_STREAMS: readonly unknown[] = [40573, 40324, 59, 115]

interface Change {
  readonly operationType: string
  readonly documentKey?: { readonly _id: unknown }
  readonly fullDocument?: { readonly write?: Binary }
}

/** As much of a change stream as is used. */
interface Changes {
  tryNext(): Promise<unknown>
  next(): Promise<unknown>
  close(): Promise<void>
}

/** The change streams of a collection. */
export function watchKeys<T extends Stored>(collection: Collection<T>): KeyChanges {
  const own = new Set<string>()
  let watchers = 0

  function tell(onChange: OnChange, { operationType, documentKey, fullDocument }: Change): void {
    const write = fullDocument?.write?.toString('hex')
    if (write !== undefined && own.delete(write) && watchers === 1) return
    const key = keyAt(documentKey?._id)
    // Dropped, renamed, or not by us: whatever it was, what is cached may be old.
    const known = key !== undefined && ['insert', 'replace', 'update', 'delete'].includes(operationType)
    onChange(known ? [key] : undefined)
  }

  return {
    own(write) {
      if (watchers === 0) return
      own.add(write.toString('hex'))
      if (own.size > MOST_OWN) own.delete(own.values().next().value as string)
    },

    disown(write) {
      own.delete(write.toString('hex'))
    },

    watch(onChange) {
      watchers++
      const stop = follow(
        () =>
          collection.watch(
            [{ $project: { operationType: 1, documentKey: 1, 'fullDocument.write': 1 } }],
            // It waits for as long as nothing happens.
            { timeoutMS: 0 },
          ),
        (change) => tell(onChange, change),
        () => onChange(undefined),
      )
      return () => {
        watchers--
        stop()
      }
    },
  }
}

// Follows one change stream after the other, until it is stopped. The driver goes on after an interruption where it left off; where it
// cannot, and before the first news, something may have been missed.
function follow(open: () => Changes, tell: (change: Change) => void, missed: () => void): () => void {
  const stopped = new AbortController()
  let wait = FIRST_WAIT_MS

  async function once(): Promise<void> {
    const stream = open()
    const close = (): void => void stream.close().catch(() => undefined)
    stopped.signal.addEventListener('abort', close)
    try {
      const first = (await stream.tryNext()) as Change | null
      if (stopped.signal.aborted) return
      missed()
      wait = FIRST_WAIT_MS
      if (first !== null) tell(first)
      while (!stopped.signal.aborted) {
        const change = await nextOf(stream)
        if (change !== undefined && !stopped.signal.aborted) tell(change)
      }
    } finally {
      stopped.signal.removeEventListener('abort', close)
      close()
    }
  }

  async function all(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        await once()
      } catch (error) {
        if (stopped.signal.aborted) return
        missed()
        if (error instanceof MongoServerError && WITHOUT_CHANGE_STREAMS.includes(error.code)) return
        // It keeps no process alive, and ends when nobody watches any more.
        await pause(wait, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined)
        wait = Math.min(2 * wait, LONGEST_WAIT_MS)
      }
    }
  }

  void all()
  return () => stopped.abort()
}

async function nextOf(stream: Changes): Promise<Change | undefined> {
  try {
    return (await stream.next()) as Change
  } catch (error) {
    // The stream is still there.
    if (error instanceof MongoOperationTimeoutError) return undefined
    throw error
  }
}
