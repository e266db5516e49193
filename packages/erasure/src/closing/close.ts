/** From erased to closed: once no backup brings the keys back, the certificate says so. */

import type { Finality, SweepTally } from '@strongroom/core'

import { issueCertificate } from '../certificate/issue.ts'
import type { ErasureParts } from '../parts.ts'
import type { ErasedRecord } from '../records/ended.ts'
import type { ClosingNote } from '../records/ended-erasures.ts'
import { idOf } from '../records/keys.ts'
import { type SealedEntry, unlessDamaged } from '../records/sealed-entries.ts'
import { askSurvivors } from '../survivors.ts'

/** Looks at the lowest root version of each region that anything waits for, and at no other while that is not destroyed. */
export async function close(parts: ErasureParts, tally: SweepTally): Promise<void> {
  for await (const region of parts.ended.regions()) {
    await tally.attempt(`closing ${region}`, async () => {
      await closeRegion(parts, region, tally)
      return 'nothing'
    })
  }
}

async function closeRegion(parts: ErasureParts, region: string, tally: SweepTally): Promise<void> {
  let asked: { readonly rootVersion: number; readonly finality: Finality | undefined } | undefined
  for await (const note of parts.ended.notes(region)) {
    const id = idOf(note.references, note.nonce)
    let erased: SealedEntry<ErasedRecord> | undefined
    // One that fails keeps none behind it from its certificate.
    await tally.attempt(id, async () => {
      erased = await erasedOf(parts, note)
      return 'nothing'
    })
    if (erased === undefined) continue
    const { value } = erased
    if (asked?.rootVersion !== value.rootVersion) asked = { rootVersion: value.rootVersion, finality: await finalityOf(parts, value) }
    const { finality } = asked
    // What waits for a later one waits for this one as well.
    if (finality === undefined) return
    await tally.attempt(id, () => closeOne(parts, note, erased as SealedEntry<ErasedRecord>, finality))
  }
}

/** `undefined` where it is not final. */
async function finalityOf({ vault }: ErasureParts, { region, rootVersion }: ErasedRecord): Promise<Finality | undefined> {
  // Finality reads the whole ledger: where the answer would be no for certain, it is not asked.
  if (!(await vault.mayBeFinal({ region, rootVersion }))) return undefined
  const finality = await vault.finality({ region, rootVersion })
  return finality.final ? finality : undefined
}

/** What a note is about. Nobody's word but the record's: a note can be put there by whoever writes the store. */
async function erasedOf({ ended }: ErasureParts, note: ClosingNote): Promise<SealedEntry<ErasedRecord> | undefined> {
  const erased = await ended.erased(note)
  if (erased !== undefined && erased.value.region === note.region && erased.value.rootVersion === note.rootVersion) return erased
  // Closed before, by one that did not get to remove the note; or a note of nothing, or of another epoch.
  if (erased !== undefined) await ended.note(note, erased.value)
  await ended.removeNote(note)
  return undefined
}

async function closeOne(
  parts: ErasureParts,
  note: ClosingNote,
  erased: SealedEntry<ErasedRecord>,
  finality: Finality,
): Promise<'done' | 'nothing'> {
  const { open, ended, vault, options, tell } = parts
  const { failpoint } = options
  const { references, nonce } = note
  // Somebody was killed at its end: whoever goes on with it looks again, and may find more.
  if ((await open.get(note).catch(unlessDamaged)) !== undefined) return 'nothing'
  const { region: _, rootVersion: __, survivors: before, ...facts } = erased.value
  // What was waited for when nothing was left has most often come by now.
  const names = facts.resources.map(({ name }) => name)
  const survivors = (await askSurvivors(parts, { kind: facts.kind, references }, { names, before })).flatMap((each) => each.survivors)
  const certificate = await issueCertificate(vault, { ...facts, references, survivors, finality })
  await failpoint('closed.signed')
  await ended.putCertificate(note, certificate)
  await failpoint('closed.put')
  await ended.removeErased(erased)
  await failpoint('closed.removed')
  await ended.removeNote(note)
  await failpoint('closed.unmarked')
  tell({ type: 'closed', id: idOf(references, nonce) })
  return 'done'
}
