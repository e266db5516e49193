// A process of a service: opens the vault that is in a folder, asks, takes back and sweeps when it is told to, and dies at a place on its way.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { field, openVault } from '@strongroom/core'
import { createErasure, definePolicy, sweep, verifyCertificate } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { localKeyProvider } from '@strongroom/kms-local'
import { z } from 'zod'

import { answerWith } from '../../../core/test/processes/answer-with.mjs'
import { openStores } from '../../../core/test/stores/open-stores.mjs'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const email = field('users', 'email', z.string())

let vault
let erasure
let now = 0
let dies
let folder

const subjectOf = (name) => vault.tenant('acme').subject(name)

// Rows are files, so that every process sees them: each a folder of somebody's.
const rows = {
  name: 'rows',
  count: async ({ subject }) => rowsOf(subject).length,
  async erase({ subject }) {
    const { length } = rowsOf(subject)
    rmSync(join(folder, subject ?? ''), { recursive: true, force: true })
    return length
  },
  verify: async ({ subject }) => rowsOf(subject).length,
}
function rowsOf(subject) {
  try {
    return readdirSync(join(folder, subject ?? ''))
  } catch {
    return []
  }
}

const TASKS = {
  async open({ directory, at }) {
    now = at
    folder = join(directory, 'rows')
    mkdirSync(folder, { recursive: true })
    const { keyStore, stateStore, close } = await openStores(directory)
    vault = await openVault({
      keyProviders: { eu: await localKeyProvider({ file: `${directory}/root.key`, rawKey: new Uint8Array(32).fill(7), copiesLife: 0 }) },
      defaultRegion: 'eu',
      keyStore,
      stateStore,
      clock: { now: () => now, monotonic: () => performance.now() },
      close,
    })
    const policy = definePolicy({
      deadline: 60 * DAY,
      grace: 30 * DAY,
      sweep: 4 * HOUR,
      cacheBound: 100,
      epoch: 7 * DAY,
      providerDelay: 0,
      copies: DAY,
    })
    const reached = (name) => {
      if (name === dies) process.kill(process.pid, 'SIGKILL')
    }
    erasure = createErasure(vault, withFailpoints({ policy, resources: [rows] }, reached))
  },
  /** From now on it dies there. */
  dieAt(name) {
    dies = name
  },
  clock(at) {
    now = at
  },
  /** Somebody who uses the service. */
  async join(subject) {
    mkdirSync(join(folder, subject), { recursive: true })
    for (const row of ['1', '2']) writeFileSync(join(folder, subject, row), row)
    return subjectOf(subject).encrypt(email, `${subject}@example.com`)
  },
  async reads({ subject, stored }) {
    return subjectOf(subject).decrypt(email, stored)
  },
  rows: (subject) => rowsOf(subject).length,
  async request({ subject, grace }) {
    const { id, state } = await erasure.request(subjectOf(subject), { reason: 'accountDeleted', ...(grace === undefined ? {} : { grace }) })
    return { id, state }
  },
  async cancel(subject) {
    await (await erasure.find(subjectOf(subject))).cancel()
  },
  hold: (subject) => erasure.hold(subjectOf(subject), { reason: 'case 4711' }),
  release: (subject) => erasure.release(subjectOf(subject), { reason: 'closed' }),
  recreate: (subject) => subjectOf(subject).recreate({ reason: 'operator' }),
  async openId(subject) {
    return (await erasure.find(subjectOf(subject)))?.id
  },
  async state(id) {
    return (await erasure.get(id))?.state
  },
  sweep: () => sweep([erasure]),
  async list() {
    const found = []
    for await (const pending of erasure.list()) found.push(pending)
    return found
  },
  async closeEpoch() {
    for await (const _ of vault.rotateRootKey());
    for await (const _ of vault.closeEpoch({ dangerouslyWithoutBackup: true }));
  },
  async certificate(id) {
    const certificate = await erasure.certificate(id)
    return certificate === undefined ? undefined : verifyCertificate(certificate, await vault.receiptKeys())
  },
  close: () => vault.close(),
}

answerWith(TASKS)
