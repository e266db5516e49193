/** From erased to closed: once no backup brings the keys back, the certificate says so. */

import type { SweepTally } from '@strongroom/core'

import { issueCertificate } from '../certificate/issue.ts'
import type { ErasureParts } from '../parts.ts'
import type { ClosingNote } from '../records/ended-erasures.ts'
import { idOf } from '../records/keys.ts'

const PAGE = 500

/** Looks at the lowest root version of each region that anything waits for, and at no other while that is not destroyed. */
export async function close(parts: ErasureParts, tally: SweepTally): Promise<void> {
  for await (const { region } of parts.ended.regions()) {
    await tally.attempt(`closing ${region}`, async () => {
      while ((await closeLowest(parts, region, tally)) > 0);
      return 'nothing'
    })
  }
}

/** @returns how many notes of the region's lowest root version were there, where that is final; 0 where it is not */
async function closeLowest(parts: ErasureParts, region: string, tally: SweepTally): Promise<number> {
  const { ended, vault } = parts
  const [lowest] = await ended.notes(region, 1)
  if (lowest === undefined) return 0
  // Finality reads the whole ledger: where the answer would be no for certain, it is not asked.
  if (!(await vault.mayBeFinal({ region, rootVersion: lowest.rootVersion }))) return 0
  const finality = await vault.finality({ region, rootVersion: lowest.rootVersion })
  if (!finality.final) return 0
  let closed = 0
  for (let after: ClosingNote | undefined; ;) {
    const page = await ended.notes(region, PAGE, after)
    for (const note of page) {
      if (note.rootVersion !== lowest.rootVersion) return closed
      await tally.attempt(idOf(note.references, note.nonce), async () => {
        if (!(await closeOne(parts, note, finality))) return 'nothing'
        closed++
        return 'done'
      })
    }
    after = page.at(-1)
    if (page.length < PAGE) return closed
  }
}

async function closeOne(
  parts: ErasureParts,
  note: ClosingNote,
  finality: Awaited<ReturnType<ErasureParts['vault']['finality']>>,
): Promise<boolean> {
  const { ended, vault, options, tell } = parts
  const { failpoint } = options
  const { references, nonce } = note
  const erased = await ended.erased(note)
  // Closed before, by one that did not get to remove the note; or a note of nothing.
  if (erased === undefined) {
    await ended.removeNote(note)
    return false
  }
  const { region, rootVersion, ...facts } = erased.value
  if (region !== note.region || rootVersion !== note.rootVersion) {
    // Nobody's word but the record's: a note can be put there by whoever writes the store.
    await ended.note(note, erased.value)
    await ended.removeNote(note)
    return false
  }
  const certificate = await issueCertificate(vault, { ...facts, references, finality })
  await failpoint('closed.signed')
  await ended.putCertificate(note, certificate)
  await failpoint('closed.put')
  await ended.removeErased(erased)
  await failpoint('closed.removed')
  await ended.removeNote(note)
  await failpoint('closed.unmarked')
  tell({ type: 'closed', id: idOf(references, nonce) })
  return true
}
