// Shreds and their receipts.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { FUNCTION, shell, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { emptyFolder, readAll, vaultFolder } from './support/vault-folder.ts'

describe('shred', () => {
  test('without a terminal: not without --yes, and --dry-run does nothing', async () => {
    const { folder, values } = await vaultFolder()
    const refused = await strongroom(folder, ['shred', 't0', 's0', '--receipt', 'receipt'])
    expect(refused.code).toBe(64)
    expect(refused.stderr).toMatch(
      /^Gone for good: subject s0 of tenant t0, every item of it, with all that was encrypted under its key\.\n[^\n]*--yes[^\n]*\n$/,
    )
    const dry = await strongroom(folder, ['shred', 't0', '--dry-run'])
    expect([dry.code, dry.stdout]).toEqual([
      0,
      'Gone for good: tenant t0, every subject and item of it, with all that was encrypted under its key.\nnothing was done\n',
    ])
    expect(existsSync(join(folder, 'receipt'))).toBe(false)
    expect(await readAll(folder, values)).toEqual(values.map(({ value }) => value))
  })

  test('a subject, an item, a tenant: that and no more', async () => {
    const { folder, values } = await vaultFolder()
    const item = await strongroom(folder, ['shred', 't0', 's0', 'nothing', '--yes', '--json'])
    expect(JSON.parse(item.stdout)).toMatchObject({ tenant: 't0', subject: 's0', item: 'nothing', versions: 0 })
    expect(await readAll(folder, values)).toEqual(values.map(({ value }) => value))
    const subject = await strongroom(folder, ['shred', 't0', 's0', '--yes', '--json', '--reason', 'accountDeleted'])
    expect([subject.code, JSON.parse(subject.stdout)]).toMatchObject([
      0,
      { outcome: 'done', versions: 1, rootVersion: 1, receipt: expect.stringMatching(/^srr1\.[\w-]+$/) },
    ])
    expect(await readAll(folder, values)).toEqual(['shredded', ...values.slice(1).map(({ value }) => value)])
    expect((await strongroom(folder, ['shred', 't1', '--yes'])).code).toBe(0)
    expect(await readAll(folder, values)).toEqual(['shredded', 't0 s1', 'shredded', 'shredded'])
    const missing = await strongroom(folder, ['shred', 'nobody', '--yes'])
    expect([missing.code, missing.stdout]).toEqual([1, ''])
    expect(missing.stderr).toMatch(/^strongroom: not_found: /)
  })

  test('in a terminal: asked; yes goes on', async () => {
    const { folder, values } = await vaultFolder()
    const command = `${FUNCTION}; strongroom shred t0 s0 --receipt receipt`
    const no = new Terminal(command, folder)
    await no.answer(/Go on\?/, 'n')
    expect(await no.ended).toBe(1)
    expect(existsSync(join(folder, 'receipt'))).toBe(false)
    expect((await readAll(folder, values))[0]).toBe('t0 s0')
    const yes = new Terminal(command, folder)
    await yes.answer(/Go on\?/, 'y')
    expect(await yes.ended).toBe(0)
    expect((await yes.lines()).join('\n')).toContain('the receipt is in receipt')
    expect((await readAll(folder, values))[0]).toBe('shredded')
    expect(statSync(join(folder, 'receipt')).mode & 0o777).toBe(0o600)
  })

  test('a receipt file that is there is kept, and nothing is shredded', async () => {
    const { folder, values } = await vaultFolder()
    writeFileSync(join(folder, 'receipt'), 'an older one')
    const { code, stderr } = await strongroom(folder, ['shred', 't0', 's0', '--yes', '--receipt', 'receipt'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/strongroom: file_unusable: .*receipt is there already, and is not written over\n$/)
    expect(readFileSync(join(folder, 'receipt'), 'utf8')).toBe('an older one')
    expect((await readAll(folder, values))[0]).toBe('t0 s0')
  })
})

describe('receipts', () => {
  test('the receipt alone on stdout; valid by the vault, and by its published keys without the vault', async () => {
    const { folder } = await vaultFolder()
    const made = await shell(folder, 'strongroom shred t0 s0 --reason accountDeleted --yes > receipt && strongroom receipt-keys > keys')
    expect(made.code).toBe(0)
    expect(made.stderr).toMatch(/shredded: 1 key version; dead in every backup once all root versions up to 1 are destroyed\n$/)
    expect(readFileSync(join(folder, 'receipt'), 'utf8')).toMatch(/^srr1\.[\w-]+\n$/)
    const own = await strongroom(folder, ['verify-receipt', 'receipt'])
    expect([own.code, own.stderr]).toEqual([0, ''])
    expect(own.stdout).toMatch(/^valid: a trusted key has signed it\nshredded .*Z, a subject of region eu; reason accountDeleted\n/)

    const elsewhere = emptyFolder()
    for (const name of ['receipt', 'keys']) writeFileSync(join(elsewhere, name), readFileSync(join(folder, name)))
    const there = await strongroom(elsewhere, ['verify-receipt', 'receipt', '--trusted-keys', 'keys', '--json'])
    expect([there.code, JSON.parse(there.stdout)]).toMatchObject([
      0,
      { valid: true, kind: 'subject', region: 'eu', reason: 'accountDeleted', rootVersion: 1, versions: 1 },
    ])
  })

  test('refused: altered, signed by another vault, no keys', async () => {
    const [{ folder }, other] = [await vaultFolder(), await vaultFolder()]
    expect((await strongroom(folder, ['shred', 't0', 's0', '--yes', '--receipt', 'receipt'])).code).toBe(0)
    expect((await shell(other.folder, 'strongroom receipt-keys > keys')).code).toBe(0)
    const text = readFileSync(join(folder, 'receipt'), 'utf8')
    writeFileSync(
      join(folder, 'altered'),
      text.replace(/(.{20})(.)/, (_, before: string, one: string) => before + (one === 'A' ? 'B' : 'A')),
    )
    writeFileSync(join(folder, 'empty'), '')
    const refusals: readonly [readonly string[], RegExp][] = [
      [['altered'], /receipt_invalid/],
      [['receipt', '--trusted-keys', join(other.folder, 'keys')], /receipt_invalid: no trusted key has signed this receipt/],
      [['receipt', '--trusted-keys', 'empty'], /file_unusable: .*64 hexadecimal digits/],
      [['receipt', '--trusted-keys', 'receipt'], /file_unusable: .*64 hexadecimal digits/],
      [['none'], /file_unusable: .* cannot be read \(ENOENT\)/],
    ]
    for (const [args, message] of refusals) {
      const { code, stdout, stderr } = await strongroom(folder, ['verify-receipt', ...args])
      expect([args, code, stdout]).toEqual([args, 1, ''])
      expect(stderr).toMatch(message)
    }
    expect((await strongroom(folder, ['verify-receipt', 'receipt'])).code).toBe(0)
  })
})
