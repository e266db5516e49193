// Closing an epoch: the owner's words, the question, and what is destroyed.
import { copyFileSync, cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { readEpochMarker } from '@strongroom/core'
import { backupLocalStore, localKeyStoreCopy } from '@strongroom/store-local'
import { expect, test } from 'vitest'

import { FUNCTION, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { vaultFolder } from './support/vault-folder.ts'

/** A vault with a shred, rotated and backed up. */
async function rotated() {
  const made = await vaultFolder()
  const { folder } = made
  await made.with((vault) => vault.tenant('t0').subject('s0').shred())
  await backupLocalStore({ directory: join(folder, 'vault'), store: 'keys', to: join(folder, 'old', 'keys') })
  expect((await strongroom(folder, ['rotate', 'root'])).code).toBe(0)
  const { startedAt } = await backupLocalStore({ directory: join(folder, 'vault'), store: 'keys', to: join(folder, 'new', 'keys') })
  copyFileSync(join(folder, 'root.key'), join(folder, 'new', 'root.key'))
  const states = () => made.with(async (vault) => (await vault.status()).regions[0]?.rootVersions.map(({ state }) => state))
  return { ...made, startedAt, states, words: ['--backup', 'new/keys', '--root-backup'] }
}

test('before a rotation there is nothing to close', async () => {
  const { folder } = await vaultFolder()
  const { code, stderr } = await strongroom(folder, ['close-epoch', '--dangerously-without-backup', '--yes'])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^preparing 0\/1\nstrongroom: epoch_blocked: [^\n]*; next: strongroom status shows what comes first; [^\n]*runbook\.md\n$/,
  )
})

test('--dry-run names what would go, and destroys nothing', async () => {
  const { folder, words, states } = await rotated()
  const { code, stdout } = await strongroom(folder, ['close-epoch', ...words, '--dry-run'])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^Gone for good: root version 1 of region eu, and with it every backup of the key store from before .*Z, for anyone\.\n/,
  )
  expect(stdout).toContain('whether the marker of the backup is that of the rotation only the close will say\nnothing was done\n')
  for (const backup of ['old/keys', 'nowhere'])
    expect((await strongroom(folder, ['close-epoch', '--backup', backup, '--root-backup', '--dry-run'])).stderr).toMatch(
      /^strongroom: file_unusable: /,
    )
  const older = ['--marker', 'AAAAAAAAAAAAAAAAAAAAAA', '--started-at', '2020-01-01T00:00:00Z', '--root-backup', '--dry-run']
  expect((await strongroom(folder, ['close-epoch', ...older])).stderr).toMatch(
    /^strongroom: file_unusable: the copy was begun before the end/,
  )
  expect(await states()).toEqual(['live', 'live'])
})

test('without a terminal: not without --yes', async () => {
  const { folder, words, states } = await rotated()
  const refused = await strongroom(folder, ['close-epoch', ...words])
  expect(refused.code).toBe(64)
  expect(refused.stderr).toMatch(/^Gone for good: [^\n]*\nstrongroom: usage: [^\n]*--yes[^\n]*\n$/)
  expect(await states()).toEqual(['live', 'live'])
  const { code, stdout } = await strongroom(folder, ['close-epoch', ...words, '--yes', '--json'])
  expect([code, JSON.parse(stdout)]).toEqual([0, { command: 'close-epoch', outcome: 'done', region: 'eu', rootVersions: [1] }])
  expect(await states()).toEqual(['destroyed', 'live'])
  const status = JSON.parse((await strongroom(folder, ['status', '--json'])).stdout) as { readonly regions: readonly unknown[] }
  expect(status.regions[0]).toMatchObject({ shreds: { waiting: { count: 0 }, awaiting: { count: 1 }, blockedBy: ['copies_live'] } })
  const again = await strongroom(folder, ['close-epoch', ...words])
  expect([again.code, again.stdout.split('\n')[0]]).toEqual([0, 'the epoch of region eu was closed already'])
})

test('in a terminal: asked, with no as the answer to a mere return', async () => {
  const { folder, words, states } = await rotated()
  const command = `${FUNCTION}; strongroom close-epoch ${words.join(' ')}`
  const first = new Terminal(command, folder)
  await first.answer(/Type "destroy 1" to go on/, '\r')
  expect(await first.ended).toBe(1)
  expect((await first.lines()).join('\n')).toMatch(
    /Gone for good: root version 1[\s\S]*strongroom: not_confirmed: that was not what had to be typed; nothing was done/,
  )
  const second = new Terminal(command, folder)
  await second.answer(/to go on/, '\u0003')
  expect(await second.ended).toBe(2)
  expect((await second.lines()).join('\n')).toContain('strongroom: interrupted: nothing was done')
  expect(await states()).toEqual(['live', 'live'])
  const third = new Terminal(command, folder)
  await third.answer(/to go on/, 'destroy 1\r')
  expect(await third.ended).toBe(0)
  expect((await third.lines()).join('\n')).toContain('region eu: root version 1 destroyed')
  expect(await states()).toEqual(['destroyed', 'live'])
})

test('a backup that is too old, or none, is refused, and nothing is destroyed', async () => {
  const { folder, startedAt, states } = await rotated()
  const copy = localKeyStoreCopy({ directory: join(folder, 'new/keys') })
  const marker = (await readEpochMarker({ keyStore: copy.keyStore, region: 'eu' })) ?? ''
  await copy.close()
  const close = (...args: readonly string[]) => strongroom(folder, ['close-epoch', '--root-backup', '--yes', ...args])
  const refusals: readonly [readonly string[], RegExp][] = [
    [['--backup', 'old/keys'], /file_unusable: --backup: the copy in [^\n]*old\/keys is from before any rotation/],
    [['--backup', 'none'], /file_unusable: --backup: [^\n]*none is no copy that backupLocalStore has made/],
    // A store in use would vouch for itself.
    [['--backup', 'vault/keys'], /file_unusable: --backup: [^\n]*vault\/keys is no copy/],
    [['--marker', 'AAAAAAAAAAAAAAAAAAAAAA', '--started-at', String(startedAt)], /invalid_argument: backup\.marker is not the marker/],
    [['--marker', marker, '--started-at', '2020-01-01T00:00:00Z'], /invalid_argument: backup\.startedAt is before the end/],
  ]
  for (const [args, message] of refusals) {
    const { code, stderr } = await close(...args)
    expect([args, code]).toEqual([args, 1])
    expect(stderr).toMatch(message)
  }
  expect(await states()).toEqual(['live', 'live'])
  expect((await close('--marker', marker, '--started-at', new Date(startedAt).toISOString())).code).toBe(0)
  expect(await states()).toEqual(['destroyed', 'live'])
})

test('a copy that cannot be opened is not called no copy: the reason is named, and the other way', async () => {
  const { folder, words, states } = await rotated()
  rmSync(join(folder, 'new', 'keys', 'data.mdb'))
  const { code, stderr } = await strongroom(folder, ['close-epoch', ...words, '--yes'])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /file_unusable: --backup: the copy of a local key store in [^\n]*new\/keys cannot be opened or read \(ENOENT\); [^\n]* --marker with --started-at/,
  )
  expect(await states()).toEqual(['live', 'live'])
})

test('a copy that was put in the place of the keys with its copy.json does not vouch for itself', async () => {
  const { folder, states } = await rotated()
  const [keys, note] = [join(folder, 'vault', 'keys'), join(folder, 'vault', 'keys', 'copy.json')]
  rmSync(keys, { recursive: true })
  cpSync(join(folder, 'new', 'keys'), keys, { recursive: true })
  const close = () => strongroom(folder, ['close-epoch', '--backup', 'vault/keys', '--root-backup', '--yes'])
  expect(await close()).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/config_invalid: [^\n]*strongroom\.config\.ts: directory [^\n]*remove keys\/copy\.json/),
  })
  rmSync(note)
  expect(await close()).toMatchObject({ code: 1, stderr: expect.stringMatching(/file_unusable: --backup: [^\n]*vault\/keys is no copy/) })
  expect(await states()).toEqual(['live', 'live'])
})

test('--dangerously-without-backup stands alone', async () => {
  const { folder, states } = await rotated()
  const { code, stderr } = await strongroom(folder, ['close-epoch', '--region', 'eu', '--dangerously-without-backup', '--yes'])
  expect(code).toBe(0)
  expect(stderr).toMatch(/^Gone for good: [^\n]* You say that there is no newer backup: [^\n]*\n/)
  expect(await states()).toEqual(['destroyed', 'live'])
})

test('a second rotation that has not ended: only what the first left behind is named, destroyed and reported', async () => {
  const { folder, states, with: opened, words } = await rotated()
  await opened(async (vault) => {
    for await (const { phase } of vault.rotateRootKey()) if (phase === 'wrapping') break
  })
  expect(await states()).toEqual(['live', 'live', 'live'])
  const dry = await strongroom(folder, ['close-epoch', ...words, '--dry-run', '--json'])
  expect(JSON.parse(dry.stdout)).toMatchObject({ outcome: 'done', rootVersions: [1] })
  const closed = await strongroom(folder, ['close-epoch', ...words, '--yes', '--json'])
  expect([closed.code, closed.stderr.split('\n')[0]]).toEqual([0, expect.stringMatching(/^Gone for good: root version 1 of region eu, /)])
  expect(JSON.parse(closed.stdout)).toMatchObject({ outcome: 'done', rootVersions: [1] })
  expect(await states()).toEqual(['destroyed', 'live', 'live'])
  // And now there is nothing, until the second has ended.
  for (const more of ['--dry-run', '--yes']) {
    const { code, stdout, stderr } = await strongroom(folder, ['close-epoch', ...words, more])
    expect([more, code, stdout]).toEqual([more, 1, ''])
    expect(stderr).toMatch(/strongroom: epoch_blocked: /)
  }
  expect(await states()).toEqual(['destroyed', 'live', 'live'])
})

test('a rotation that ends while the question stands: nothing is destroyed that was not asked about', async () => {
  const { folder, states } = await rotated()
  const terminal = new Terminal(`${FUNCTION}; strongroom close-epoch --dangerously-without-backup`, folder)
  await terminal.until(/Gone for good: root version 1 of/)
  expect((await strongroom(folder, ['rotate', 'root'])).code).toBe(0)
  await terminal.answer(/to go on/, 'destroy 1\r')
  expect(await terminal.ended).toBe(1)
  expect((await terminal.lines()).join('').replaceAll('↪', '')).toMatch(/strongroom: epoch_blocked: .*nothing was destroyed/)
  expect(await states()).toEqual(['live', 'live', 'live'])
})

test('--dry-run before any rotation: the reason, and exit 1', async () => {
  const { folder } = await vaultFolder()
  const { code, stdout, stderr } = await strongroom(folder, ['close-epoch', '--dangerously-without-backup', '--dry-run'])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^strongroom: epoch_blocked: no rotation of region eu has ended, [^\n]*strongroom rotate root --region eu/)
})
