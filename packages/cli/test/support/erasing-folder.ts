// A folder whose configuration has an erasure, with resources that are files.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { rawKeyConfiguration, vaultFolder, type VaultFolder } from './vault-folder.ts'

/** A vault with an erasure, of whose resource there is a file a person: `rows-s0` … */
export async function erasingFolder({ resource = 'rows(vault)', sweepables = '[]', list = '' } = {}): Promise<VaultFolder> {
  const made = await vaultFolder()
  const source = rawKeyConfiguration(made.folder)
    .replace('  openVault({', '({')
    .replace(
      /\n {2}\}\),\n\)/,
      `  services: (vault) => ({ erasure: { ...createErasure(vault, { policy, resources: [${resource}] }), ${list} }, sweepables: ${sweepables} }) }))`,
    )
    .replace(
      'const folder',
      `import { days, hours } from '@strongroom/core'
import { createErasure, definePolicy } from '@strongroom/erasure'
import { existsSync, rmSync } from 'node:fs'

const policy = definePolicy({ deadline: days(60), grace: days(30), sweep: hours(1), epoch: days(7), providerDelay: 0, copies: days(14) })
const fileOf = ({ subject }) => folder + '/rows-' + subject
const there = async (place) => (place.subject !== undefined && existsSync(fileOf(place)) ? 1 : 0)
const rows = () => ({
  name: 'rows',
  count: there,
  verify: there,
  erase: async (place) => { const found = await there(place); rmSync(fileOf(place), { force: true }); return found },
  replay: async (dead) => {
    const names = ['s0', 's1'].filter((subject) => existsSync(fileOf({ subject })))
    const fates = await dead.fates(names.map((subject) => ({ tenant: 't0', subject })))
    const gone = names.filter((_, i) => fates[i] === 'dead')
    for (const subject of gone) rmSync(fileOf({ subject }))
    return { looked: names.length, removed: gone.length, suspended: fates.filter((fate) => fate === 'suspended').length }
  },
})
const liar = () => ({ name: 'liar', count: async () => 2, verify: async () => 2, erase: async () => 2 })
const broken = { name: 'broken', sweep: async () => { throw Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }) } }
const folder`,
    )
  writeFileSync(join(made.folder, 'strongroom.config.ts'), source)
  for (const subject of ['s0', 's1']) writeFileSync(join(made.folder, `rows-${subject}`), '')
  return made
}
