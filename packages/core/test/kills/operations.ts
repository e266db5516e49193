/** The operations that are killed, their phases, and what they are tried on. */

import type { CloseEpochPhase, RetirePhase, RotateRootPhase, RotateSubjectPhase, RotateTenantPhase } from '@strongroom/core'

import type { PlaceNames } from '../races/support.ts'
import type { State } from './model.ts'
import type { TemplateName } from './template.ts'

export type OperationName =
  | 'rotateRootKey'
  | 'rotateTenantKey'
  | 'rotateSubjectKey'
  | 'retireVersion'
  | 'closeEpoch'
  | 'shred'
  | 'shredMany'
  | 'recreate'
  | 'suspend'
  | 'resume'

export interface Operation {
  /** Each is to be met by a kill. */
  readonly phases: readonly string[]
  /** What it starts from. */
  readonly template: TemplateName
  /** Places that it works on: one of these lists. */
  readonly targets: readonly (readonly PlaceNames[])[]
  /** What its places are when it is done. */
  readonly becoming?: State
  /** Failpoints that are its phases, by how their names begin. */
  readonly tells?: readonly string[]
}

// A phase that is missing here, or is none, does not compile.
const phases = <P extends string>(all: Readonly<Record<P, true>>): readonly string[] => Object.keys(all)

const SHRED_PHASES = ['begun', 'shred.marked', 'shred.entered', 'shred.applied', 'shred.marked-again', 'shred.done']

const acme = (subject: string, item?: string): PlaceNames => ({ tenant: 'acme', subject, ...(item === undefined ? {} : { item }) })

export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  rotateRootKey: {
    phases: phases<RotateRootPhase>({ preparing: true, wrapping: true, waiting: true, rewrapping: true, checking: true }),
    template: 'plain',
    targets: [[]],
  },
  rotateTenantKey: {
    phases: phases<RotateTenantPhase>({ preparing: true, waiting: true, rewrapping: true }),
    template: 'plain',
    targets: [[{ tenant: 'acme' }], [{ tenant: 'globex' }], [{ tenant: 'initech' }]],
  },
  rotateSubjectKey: {
    phases: phases<RotateSubjectPhase>({ preparing: true, waiting: true, rewrapping: true }),
    template: 'plain',
    targets: [[acme('ivan')], [acme('ivan', 'part-0')], [{ tenant: 'globex', subject: 'subject-0' }]],
  },
  retireVersion: {
    phases: phases<RetirePhase>({ counting: true, waiting: true, 'counting again': true, shredding: true }),
    template: 'plain',
    targets: [[acme('bob')]],
  },
  closeEpoch: {
    phases: phases<CloseEpochPhase>({ preparing: true, waiting: true, checking: true, destroying: true }),
    template: 'rotated',
    targets: [[]],
  },
  shred: {
    phases: SHRED_PHASES,
    template: 'plain',
    // A subject, an item of one that lives on, a place without a key; a tenant too, first or last.
    targets: [
      [acme('leaver-0'), acme('leaver-1', 'part'), acme('nobody-0'), { tenant: 'initech' }],
      [{ tenant: 'globex' }, acme('leaver-1', 'part'), acme('leaver-2')],
    ],
    becoming: 'shredded',
    tells: ['shred.'],
  },
  shredMany: {
    phases: SHRED_PHASES,
    template: 'plain',
    targets: [['leaver-0', 'nobody-0', 'leaver-1', 'leaver-2', 'dave'].map((subject) => acme(subject))],
    becoming: 'shredded',
    tells: ['shred.'],
  },
  recreate: {
    phases: ['begun', 'recreate.entered', 'recreate.stored'],
    template: 'plain',
    targets: [[acme('frank'), acme('stranger'), acme('erin', 'gone')]],
    becoming: 'live',
    tells: ['recreate.'],
  },
  suspend: {
    phases: ['begun'],
    template: 'plain',
    targets: [[acme('grace'), acme('leaver-1', 'part'), { tenant: 'initech', subject: 'subject-0' }]],
    becoming: 'suspended',
  },
  resume: {
    phases: ['begun'],
    template: 'plain',
    targets: [[acme('heidi'), acme('carol', 'calendar')]],
    becoming: 'live',
  },
}

/** One operation on its places. */
export interface Task {
  readonly operation: OperationName
  readonly places: readonly PlaceNames[]
}

/** What another runner may run at the same time instead of the same: neither shreds nor revives anything. */
export const BESIDE: readonly Task[] = [
  { operation: 'rotateRootKey', places: [] },
  { operation: 'rotateTenantKey', places: [{ tenant: 'acme' }] },
]

/** What a writer is about to do, as it says. */
export const WRITER_PHASES = ['encrypt', 'create', 'shred'] as const
