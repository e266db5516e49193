// A rotation that is killed twice, and ended from another copy of the configuration.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { strongroom } from './support/command.ts'
import { emptyFolder, rawKeyConfiguration, readAll, vaultFolder } from './support/vault-folder.ts'

test('SIGKILL twice, at two places; a third run with another copy of the configuration ends it, and nothing is lost', async () => {
  const { folder, values, with: opened } = await vaultFolder({ tenants: 4, subjects: 60, cacheBound: 500 })
  await opened((vault) => vault.tenant('t0').subject('s0').shred())
  await opened((vault) => vault.tenant('t2').subject('s1').shred())

  const killedAt = async (directory: string, line: string): Promise<string> => {
    const { code, stderr } = await strongroom(directory, ['rotate', 'root', '--concurrency', '1'], {
      onStderr: (text, process) => {
        if (text.includes(line)) process.kill('SIGKILL')
      },
    })
    expect(code).toBe('SIGKILL')
    return stderr
  }
  expect(await killedAt(folder, 'waiting 0/1')).not.toContain('waiting 1/1')
  expect(await killedAt(folder, 'rewrapping 0/')).not.toContain('checking 1/1')

  // As on another machine: its own copy of the configuration and of what opens the root key, in a place of its own.
  const other = emptyFolder()
  writeFileSync(join(other, 'strongroom.config.ts'), rawKeyConfiguration(other))
  cpSync(join(folder, 'raw.key'), join(other, 'raw.key'))
  cpSync(join(folder, 'root.key'), join(other, 'root.key'))
  cpSync(join(folder, 'vault'), join(other, 'vault'), { recursive: true })
  const third = await strongroom(other, ['rotate', 'root', '--json'])
  expect([third.code, JSON.parse(third.stdout)]).toEqual([0, { command: 'rotate root', outcome: 'done', region: 'eu' }])

  const checked = await strongroom(other, ['verify-keys', '--json'])
  expect([checked.code, JSON.parse(checked.stdout)]).toMatchObject([0, { findings: 0, damaged: 0, tenants: 5 }])
  const status = await strongroom(other, ['status', '--json'])
  expect(JSON.parse(status.stdout)).toMatchObject({
    regions: [{ current: 2, rotation: { state: 'finished', rootVersion: 2 }, shreds: { waiting: { count: 2 } } }],
  })
  const expected = values.map(({ tenant, subject, value }) => (['t0 s0', 't2 s1'].includes(`${tenant} ${subject}`) ? 'shredded' : value))
  expect(await readAll(other, values)).toEqual(expected)
  expect(values.length).toBe(240)
})
