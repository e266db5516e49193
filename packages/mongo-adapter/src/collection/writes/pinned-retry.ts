/** A write of one document: for whoever the filter names, or else for whoever has the document that it finds. */

import { pinnedOwner } from '../source.ts'
import { acted } from './act.ts'
import { locateOne } from './locate.ts'
import { changedByOthers, MOST_TRIES, narrowed, sending, sendSealed } from './send.ts'
import { sealOne, type Write } from './write.ts'

/** @throws StrongroomError `conflict` where the filter found a document each time, which it did not let through any more */
export async function writeOne<R>(write: Write<R>): Promise<R> {
  return (await reachOne(write)) ?? reachNone(write)
}

/** As {@link writeOne}; `undefined` where nothing was found, and nothing sent. */
export async function reachOne<R>(write: Write<R>): Promise<R | undefined> {
  const { source, plan, change, reading } = write
  if (!change.seals) return (await acted(write, false, change.blank)).at(-1)
  const owner = pinnedOwner(source, plan.pins)
  if (owner !== undefined) {
    const sealed = await sealOne(source.vault, change.prepare({ owner, id: plan.pins.id }))
    return (await acted(write, false, sealed)).at(-1)
  }
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = await locateOne(source, plan, reading)
    if (found === undefined) return undefined
    const sealed = await sealOne(source.vault, change.prepare(found))
    const answer = await sendSealed(write, narrowed(await plan.physical(), found.only), sealed)
    if (write.reached(answer) !== 0) return answer
  }
  throw changedByOthers()
}

/** A command that reaches no document, so that a call that finds none answers as the driver does. */
export async function reachNone<R>({ source, plan, change, send }: Write<R>): Promise<R> {
  const nobody = narrowed(await plan.physical(), { _id: { $in: [] } })
  return sending(source.layout, () => send(nobody, change.blank.tree))
}
