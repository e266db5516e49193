/** Commands of which there is one for a tenant, one for a subject and one for an item: how much is meant is said by a word. */

import type { Command } from 'commander'

import { placeName } from '../flags.ts'
import type { NamedPlace } from './named-place.ts'

export type PlaceKind = 'tenant' | 'subject' | 'item'

const SUMMARIES: Readonly<Record<PlaceKind, string>> = {
  tenant: 'a tenant, with every subject and item of it',
  subject: 'a subject, with every item of it',
  item: 'one item of a subject',
}

interface PlaceCommandOptions<Flags> {
  readonly descriptions: Readonly<Record<PlaceKind, string>>
  /** Adds the flags that a command has. */
  readonly withFlags: (command: Command, kind: PlaceKind) => Command
  readonly act: (kind: PlaceKind, place: NamedPlace, flags: Flags) => Promise<void>
}

export function addPlaceCommands<Flags>(parent: Command, { descriptions, withFlags, act }: PlaceCommandOptions<Flags>): void {
  const command = (kind: PlaceKind): Command => parent.command(kind).summary(SUMMARIES[kind]).description(descriptions[kind])
  withFlags(command('tenant').argument('<id>', 'the name of the tenant', placeName), 'tenant').action((tenant: string, flags: Flags) =>
    act('tenant', { tenant }, flags),
  )
  withFlags(
    command('subject').argument('<tenant>', 'the name of the tenant', placeName).argument('<id>', 'the name of the subject', placeName),
    'subject',
  ).action((tenant: string, subject: string, flags: Flags) => act('subject', { tenant, subject }, flags))
  withFlags(
    command('item')
      .argument('<tenant>', 'the name of the tenant', placeName)
      .argument('<subject>', 'the name of the subject', placeName)
      .argument('<id>', 'the name of the item', placeName),
    'item',
  ).action((tenant: string, subject: string, item: string, flags: Flags) => act('item', { tenant, subject, item }, flags))
}
