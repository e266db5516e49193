// Shreds and their receipts.
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { keptEntryKey } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { BIN, FUNCTION, shell, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { email, emptyFolder, rawKeyConfiguration, readAll, vaultFolder } from './support/vault-folder.ts'

describe('shred', () => {
  test('without a terminal: not without --yes, and --dry-run does nothing', async () => {
    const { folder, values } = await vaultFolder()
    const refused = await strongroom(folder, ['shred', 'subject', 't0', 's0', '--receipt', 'receipt'])
    expect(refused.code).toBe(64)
    expect(refused.stderr).toMatch(
      /^Gone for good: subject s0 of tenant t0, every item of it, with all that was encrypted under its key\.\n[^\n]*--yes[^\n]*\n$/,
    )
    const dry = await strongroom(folder, ['shred', 'tenant', 't0', '--dry-run'])
    expect([dry.code, dry.stdout]).toEqual([
      0,
      'Gone for good: tenant t0, every subject and item of it, with all that was encrypted under its key.\nnothing was done\n',
    ])
    expect(existsSync(join(folder, 'receipt'))).toBe(false)
    expect(await readAll(folder, values)).toEqual(values.map(({ value }) => value))
  })

  test('a subject, an item, a tenant: that and no more', async () => {
    const { folder, values } = await vaultFolder()
    const item = await strongroom(folder, ['shred', 'item', 't0', 's0', 'nothing', '--yes', '--json', '--even-if-absent'])
    expect(JSON.parse(item.stdout)).toMatchObject({ tenant: 't0', subject: 's0', item: 'nothing', versions: 0 })
    expect(await readAll(folder, values)).toEqual(values.map(({ value }) => value))
    const subject = await strongroom(folder, ['shred', 'subject', 't0', 's0', '--yes', '--json', '--reason', 'accountDeleted'])
    expect([subject.code, JSON.parse(subject.stdout)]).toMatchObject([
      0,
      { outcome: 'done', versions: 1, rootVersion: 1, receipt: expect.stringMatching(/^srr1\.[\w-]+$/) },
    ])
    expect(await readAll(folder, values)).toEqual(['shredded', ...values.slice(1).map(({ value }) => value)])
    expect((await strongroom(folder, ['shred', 'tenant', 't1', '--yes'])).code).toBe(0)
    expect(await readAll(folder, values)).toEqual(['shredded', 't0 s1', 'shredded', 'shredded'])
    const missing = await strongroom(folder, ['shred', 'tenant', 'nobody', '--yes'])
    expect([missing.code, missing.stdout]).toEqual([1, ''])
    expect(missing.stderr).toMatch(/^strongroom: not_found: /)
  })

  test('in a terminal: asked; yes goes on', async () => {
    const { folder, values } = await vaultFolder()
    const command = `${FUNCTION}; strongroom shred subject t0 s0 --receipt receipt`
    const no = new Terminal(command, folder)
    await no.answer(/Type "s0" to go on/, 'n\r')
    expect(await no.ended).toBe(1)
    expect(existsSync(join(folder, 'receipt'))).toBe(false)
    expect((await readAll(folder, values))[0]).toBe('t0 s0')
    const yes = new Terminal(command, folder)
    await yes.answer(/Type "s0" to go on/, 's0\r')
    expect(await yes.ended).toBe(0)
    expect((await yes.lines()).join('\n')).toContain('the receipt is in receipt')
    expect((await readAll(folder, values))[0]).toBe('shredded')
    expect(statSync(join(folder, 'receipt')).mode & 0o777).toBe(0o600)
  })

  test('a receipt file that is there is kept, and nothing is shredded', async () => {
    const { folder, values } = await vaultFolder()
    writeFileSync(join(folder, 'receipt'), 'an older one')
    const { code, stderr } = await strongroom(folder, ['shred', 'subject', 't0', 's0', '--yes', '--receipt', 'receipt'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/strongroom: file_unusable: .*receipt is there already, and is not written over\n$/)
    expect(readFileSync(join(folder, 'receipt'), 'utf8')).toBe('an older one')
    expect((await readAll(folder, values))[0]).toBe('t0 s0')
  })
})

describe('receipts', () => {
  test('the receipt alone on stdout; valid by the vault, and by its published keys without the vault', async () => {
    const { folder } = await vaultFolder()
    const made = await shell(
      folder,
      'strongroom shred subject t0 s0 --reason accountDeleted --yes > receipt && strongroom receipt-keys > keys',
    )
    expect(made.code).toBe(0)
    expect(made.stderr).toMatch(/shredded: 1 key version; dead in every backup once all root versions up to 1 are destroyed\n$/)
    expect(readFileSync(join(folder, 'receipt'), 'utf8')).toMatch(/^srr1\.[\w-]+\n$/)
    const own = await strongroom(folder, ['verify-receipt', 'receipt'])
    expect([own.code, own.stderr]).toEqual([0, ''])
    expect(own.stdout).toMatch(/^valid: a trusted key has signed it\nshredded .*Z, a subject of region eu; reason accountDeleted\n/)
    expect(await shell(folder, 'strongroom verify-receipt - < receipt')).toEqual(own)
    // The reason that was given first is the one that is kept.
    const again = await shell(folder, 'strongroom shred subject t0 s0 --reason operator --yes')
    expect(again.stdout).toBe(readFileSync(join(folder, 'receipt'), 'utf8'))
    expect(again.stderr).toMatch(/^Gone already: [^\n]*with the reason that was given then\.\n/)

    const elsewhere = emptyFolder()
    for (const name of ['receipt', 'keys']) writeFileSync(join(elsewhere, name), readFileSync(join(folder, name)))
    const there = await strongroom(elsewhere, ['verify-receipt', 'receipt', '--trusted-keys', 'keys', '--json'])
    expect([there.code, JSON.parse(there.stdout)]).toMatchObject([
      0,
      { valid: true, kind: 'subject', region: 'eu', reason: 'accountDeleted', rootVersion: 1, versions: 1 },
    ])
  })

  test('read from pipes, however late they are written to', async () => {
    const { folder } = await vaultFolder()
    const { code, stdout, stderr } = await shell(
      folder,
      `strongroom shred subject t0 s0 --yes --receipt receipt > /dev/null 2>&1
strongroom verify-receipt receipt --trusted-keys <(strongroom receipt-keys) &&
strongroom verify-receipt <(sleep 0.5; cat receipt) --trusted-keys <(sleep 1; strongroom receipt-keys) &&
(sleep 0.5; cat receipt) | strongroom verify-receipt - --trusted-keys <(strongroom receipt-keys)`,
    )
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.match(/^valid: /gm)).toHaveLength(3)
  })

  test.each(['pipe', 'receipt --trusted-keys pipe', '- 0<>pipe'])('a pipe that nobody writes to: %s is ended by a signal', async (what) => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'receipt'), 'srr1.')
    const { stdout } = await shell(
      folder,
      `mkfifo pipe; (exec "${process.execPath}" "${BIN}" verify-receipt ${what}) & pid=$!
(sleep 20; kill -KILL $pid) > /dev/null 2>&1 &
sleep 1.5; kill -TERM $pid; wait $pid; echo "exit $?"`,
    )
    expect(stdout).toBe('exit 2\n')
  })

  test('refused: altered, signed by another vault, no keys', async () => {
    const [{ folder }, other] = [await vaultFolder(), await vaultFolder()]
    expect((await strongroom(folder, ['shred', 'subject', 't0', 's0', '--yes', '--receipt', 'receipt'])).code).toBe(0)
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
      [['receipt', '--trusted-keys', 'empty'], /file_unusable: .*96 hexadecimal digits/],
      [['receipt', '--trusted-keys', 'receipt'], /file_unusable: .*96 hexadecimal digits/],
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

describe('what is asked before', () => {
  test('a key that was typed ahead is no answer, nor is a line', async () => {
    const { folder, values } = await vaultFolder()
    for (const ahead of ['y', 's0\r']) {
      const terminal = new Terminal(`${FUNCTION}; strongroom shred subject t0 s0`, folder)
      terminal.type(ahead)
      await terminal.until(/to go on/)
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(terminal.hasEnded).toBe(false)
      terminal.type('y\r')
      expect(await terminal.ended).toBe(1)
    }
    expect((await readAll(folder, values))[0]).toBe('t0 s0')
  })

  test('a name of blanks: the question says what to type, and Return alone is no answer', async () => {
    const { folder, with: opened } = await vaultFolder()
    // Blanks of other kinds are cut off as well.
    for (const name of ['   ', '\u00A0', '\u3000\t']) {
      await opened((vault) => vault.tenant('t0').subject(name).encrypt(email, 'x'))
      const state = (): Promise<string> => opened((vault) => vault.tenant('t0').subject(name).state())
      for (const answer of ['\r', `${name.replace('\t', ' ')}\r`]) {
        const terminal = new Terminal(`${FUNCTION}; strongroom shred subject t0 $'${name}'`, folder)
        await terminal.answer(/Type "destroy" to go on/, answer)
        expect(await terminal.ended).toBe(1)
        expect((await terminal.lines()).join('\n')).toContain('not_confirmed')
      }
      expect(await state()).toBe('active')
      const terminal = new Terminal(`${FUNCTION}; strongroom shred subject t0 $'${name}'`, folder)
      await terminal.answer(/Type "destroy" to go on/, 'destroy\r')
      expect(await terminal.ended).toBe(0)
      expect(await state()).toBe('shredded')
    }
  })

  test('the end of the input is no answer: exit 2', async () => {
    const { folder, values } = await vaultFolder()
    const terminal = new Terminal(`${FUNCTION}; strongroom shred subject t0 s0`, folder)
    await terminal.answer(/to go on/, '\u0004')
    expect(await terminal.ended).toBe(2)
    expect((await readAll(folder, values))[0]).toBe('t0 s0')
  })

  test('a name that is empty, as of a variable that is not set, is wrong use, and shreds no tenant', async () => {
    const { folder, values } = await vaultFolder()
    for (const line of ['shred subject t1 $ID --yes', 'shred subject t1 "$ID" --yes', 'shred item t1 s0 $ID --yes', 'shred t1 $ID --yes']) {
      const { code, stdout } = await shell(folder, `strongroom ${line}`)
      expect([line, code, stdout]).toEqual([line, 64, ''])
    }
    expect(await readAll(folder, values)).toEqual(values.map(({ value }) => value))
  })

  test('a subject that has no key: said, and refused unless that is wanted; its receipt says so too', async () => {
    const { folder } = await vaultFolder()
    for (const more of ['--yes', '--dry-run']) {
      const refused = await strongroom(folder, ['shred', 'subject', 't0', 'S0', '--receipt', 'receipt', more])
      expect([more, refused.code, refused.stdout]).toEqual([more, 1, ''])
      expect(refused.stderr).toMatch(
        /^strongroom: no_key: subject S0 of tenant t0, [^\n]*there is no key at that place[^\n]*--even-if-absent/,
      )
    }
    expect(existsSync(join(folder, 'receipt'))).toBe(false)
    const dry = await strongroom(folder, ['shred', 'subject', 't0', 'S0', '--dry-run', '--even-if-absent'])
    expect(dry.stdout).toMatch(/^There is no key: subject S0/)
    const { code, stdout } = await strongroom(folder, ['shred', 'subject', 't0', 'S0', '--receipt', 'receipt', '--yes', '--even-if-absent'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^nothing was destroyed: there was no key at that place/)
    const verified = await strongroom(folder, ['verify-receipt', 'receipt'])
    expect(verified.stdout).toMatch(/\nno key was destroyed: there was none; the name was occupied /)
    expect(verified.stdout).not.toContain('shredded ')
    const again = await strongroom(folder, ['shred', 'subject', 't0', 'S0', '--dry-run'])
    expect(again.stdout).toMatch(/^Gone already: subject S0/)
  })

  test('beneath what is shredded: the dry run and the run say the same, and enter nothing', async () => {
    const { folder, with: opened } = await vaultFolder()
    const ledger = (): Promise<number> => opened(async (vault) => (await vault.status()).ledger.n)
    for (const args of [
      ['subject', 't0', 's0'],
      ['tenant', 't1'],
    ])
      expect((await strongroom(folder, ['shred', ...args, '--yes'])).code).toBe(0)
    const before = await ledger()
    for (const [args, above] of [
      [['item', 't0', 's0', 'mistyped'], 'subject'],
      [['subject', 't1', 's0'], 'tenant'],
      [['subject', 't1', 'nobody'], 'tenant'],
      [['item', 't1', 's0', 'any'], 'tenant'],
    ] as const)
      for (const how of ['--dry-run', '--yes']) {
        const { code, stdout, stderr } = await strongroom(folder, ['shred', ...args, '--even-if-absent', how])
        expect([args, how, code, stdout]).toEqual([args, how, 1, ''])
        expect(stderr).toMatch(
          new RegExp(`^strongroom: shredded: [^\\n]*went with its ${above}; strongroom shred ${above} gives the receipt`),
        )
      }
    expect(await ledger()).toBe(before)
    expect((await strongroom(folder, ['rotate', 'subject', 't1', 's0', '--dry-run'])).stderr).toMatch(/^strongroom: shredded: /)
  })

  test('a name that would steer the terminal is written out', async () => {
    const { folder } = await vaultFolder()
    const name = 'a\u001B]0;owned\u0007\u009B2J\u202Eb\u200B\u007F'
    const out = await strongroom(folder, ['shred', 'subject', 't0', name, '--even-if-absent', '--yes', '--json'])
    expect(out.code).toBe(0)
    const dry = await strongroom(folder, ['shred', 'subject', 't0', name, '--dry-run'])
    const refused = await strongroom(folder, ['shred', 'tenant', name, '--dry-run'])
    const missing = await strongroom(folder, ['verify-receipt', name])
    for (const text of [out.stdout, out.stderr, dry.stdout, refused.stderr, missing.stderr])
      expect(text).not.toMatch(/[^\P{Cc}\n]|[\u202E\u200B]/u)
    expect(dry.stdout).toContain(String.raw`subject a\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}b\u{200b}\u{7f} of`)
    expect(JSON.parse(out.stdout)).toMatchObject({ subject: name })
  })
})

describe('a receipt that is to be kept', () => {
  /** A configuration that does something when a shred is about to begin. */
  const atShred = (folder: string, work: string): void =>
    writeFileSync(
      join(folder, 'other.ts'),
      rawKeyConfiguration(folder, `onAccess: ({ operation }) => { if (operation === 'shred') { ${work} } },`).replace(
        "from 'node:fs'",
        "from 'node:fs'\nimport { rmSync } from 'node:fs'",
      ),
    )

  test('a run that was killed is not in the way of the same command', async () => {
    const { folder, values } = await vaultFolder()
    atShred(folder, "process.kill(process.pid, 'SIGKILL')")
    const args = ['shred', 'subject', 't0', 's0', '--yes', '--receipt', 'receipt']
    expect((await strongroom(folder, [...args, '--config', 'other.ts'])).code).toBe('SIGKILL')
    expect((await readAll(folder, values))[0]).toBe('t0 s0')
    expect((await strongroom(folder, args)).code).toBe(0)
    expect(readFileSync(join(folder, 'receipt'), 'utf8')).toMatch(/^srr1\./)
  })

  test('a file that holds it already is no failure, so that a job that was killed after all was done can end', async () => {
    const { folder, values } = await vaultFolder()
    for (const place of ['subject t0 s0', 'tenant t1', 'subject t0 nobody --even-if-absent']) {
      const args = ['shred', ...place.split(' '), '--yes', '--receipt', 'receipt']
      const first = await strongroom(folder, args)
      expect(first.code).toBe(0)
      const [text, { ino }] = [readFileSync(join(folder, 'receipt'), 'utf8'), statSync(join(folder, 'receipt'))]
      const again = await strongroom(folder, args)
      expect([again.code, again.stdout]).toEqual([0, first.stdout])
      expect([readFileSync(join(folder, 'receipt'), 'utf8'), statSync(join(folder, 'receipt')).ino]).toEqual([text, ino])
      rmSync(join(folder, 'receipt'))
    }
    expect(await readAll(folder, values)).toEqual(['shredded', 't0 s1', 'shredded', 'shredded'])
  })

  test.each<[string, (receipt: string, folder: string) => void]>([
    ['altered', (receipt) => writeFileSync(receipt, readFileSync(receipt, 'utf8').replace(/.\n$/, '_\n'))],
    ['cut off', (receipt) => writeFileSync(receipt, readFileSync(receipt, 'utf8').slice(0, -5))],
    ['with more', (receipt) => writeFileSync(receipt, `${readFileSync(receipt, 'utf8')}more`)],
    [
      'a link to it',
      (receipt, folder) => {
        renameSync(receipt, join(folder, 'other'))
        symlinkSync('other', receipt)
      },
    ],
    [
      'a folder',
      (receipt) => {
        rmSync(receipt)
        mkdirSync(receipt)
      },
    ],
  ])('a file that holds anything else is kept, and refused: %s', async (_, change) => {
    const { folder } = await vaultFolder()
    const args = ['shred', 'subject', 't0', 's0', '--yes', '--receipt', 'receipt']
    expect((await strongroom(folder, args)).code).toBe(0)
    change(join(folder, 'receipt'), folder)
    const before = lstatSync(join(folder, 'receipt'))
    const { code, stdout, stderr } = await strongroom(folder, args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /file_unusable: the key IS destroyed, but not its receipt kept: [^\n]*receipt is there already[^\n]*give another name/,
    )
    const { ino, size, mtimeMs } = lstatSync(join(folder, 'receipt'))
    expect([ino, size, mtimeMs]).toEqual([before.ino, before.size, before.mtimeMs])
  })

  test('one that cannot be written after the shred: the key is said to be destroyed, and how to get the receipt', async () => {
    const { folder, values } = await vaultFolder()
    atShred(folder, "rmSync('there', { recursive: true })")
    mkdirSync(join(folder, 'there'))
    const args = ['shred', 'subject', 't0', 's0', '--yes', '--receipt', 'there/receipt']
    const { code, stderr } = await strongroom(folder, [...args, '--config', 'other.ts'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/strongroom: file_unusable: the key IS destroyed, but not its receipt kept: [^\n]*The same command gives/)
    expect((await readAll(folder, values))[0]).toBe('shredded')
    mkdirSync(join(folder, 'there'))
    expect((await strongroom(folder, args)).code).toBe(0)
  })

  test('no file is read without end', async () => {
    const { folder } = await vaultFolder()
    for (const [line, message] of [
      ['verify-receipt /dev/zero', /file_unusable: \/dev\/zero is neither a file nor a pipe nor a socket/],
      ['verify-receipt <(cat /dev/zero)', /file_unusable: \/dev\/fd\/63 holds more than 64 KiB/],
      ['verify-receipt - < /dev/zero', /file_unusable: stdin holds more than 64 KiB/],
      ['verify-receipt raw.key --trusted-keys long', /file_unusable: .*long holds more than 64 KiB/],
      ['verify-receipt vault', /file_unusable: .*vault is a folder/],
    ] as const) {
      writeFileSync(join(folder, 'long'), 'a'.repeat(65_537))
      const { code, stderr } = await shell(folder, `strongroom ${line}`)
      expect([line, code]).toEqual([line, 1])
      expect(stderr).toMatch(message)
    }
  })
})

describe('where there are connections', () => {
  async function connectedFolder() {
    const made = await vaultFolder()
    await made.with(async (vault) => {
      const references = [...(await vault.tenant('t0').subject('s0').references()), '0'.repeat(32)]
      const entries = [
        ['strongroom/connections', [vault.id, ...references].join('/')],
        ['strongroom/revocations', keptEntryKey(vault.id, references, Date.UTC(2040, 0, 1), 'x')],
      ] as const
      await vault.periodKey({ use: 'revocation', at: Date.UTC(2040, 0, 1) - 1 }).encrypt(email, 'x@example.com')
      for (const [namespace, key] of entries) await vault.stateStore.put(namespace, key, new Uint8Array(1), { expected: 'absent' })
    })
    return made
  }

  test('refused, with what to do; the flag destroys all the same, and the receipt says what is kept', async () => {
    const { folder, values } = await connectedFolder()
    for (const place of [
      ['subject', 't0', 's0'],
      ['tenant', 't0'],
    ]) {
      const refused = await strongroom(folder, ['shred', ...place, '--yes'])
      expect([refused.code, refused.stdout]).toEqual([1, ''])
      expect(refused.stderr).toMatch(
        /^Gone for good[^\n]*\nstrongroom: revocation_required: [^\n]*; next: [^\n]*--without-revocation[^\n]*\n$/,
      )
    }
    expect(await readAll(folder, values)).toEqual(values.map(({ value }) => value))
    const done = await strongroom(folder, ['shred', 'subject', 't0', 's0', '--yes', '--without-revocation', '--receipt', 'receipt'])
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringMatching(/tokens that wait to be revoked were kept under 1 key of the vault's own, destroyed 2040-01-01 00:00/),
    ])
    expect((await readAll(folder, values))[0]).toBe('shredded')
    const valid = await strongroom(folder, ['verify-receipt', 'receipt', '--json'])
    expect(JSON.parse(valid.stdout)).toMatchObject({
      valid: true,
      kept: [{ ref: expect.stringMatching(/^[0-9a-f]{32}$/), until: Date.UTC(2040, 0, 1) }],
    })
  })

  test('a configuration that returns a vault with whoever sees to them: done', async () => {
    const { folder, values } = await connectedFolder()
    const guard = "{ before: async (places) => console.error('before', places[0].names), after: async () => console.error('after') }"
    const source = rawKeyConfiguration(folder)
      .replace('  openVault({', '{ const vault = await openVault({')
      .replace(/\n {2}\}\),\n\)/, `})\n vault.guardShreds('strongroom/connections', ${guard})\n return vault })`)
    writeFileSync(join(folder, 'strongroom.config.ts'), source)
    const done = await strongroom(folder, ['shred', 'subject', 't0', 's0', '--yes'])
    expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^srr1\./)])
    expect(done.stderr).toMatch(/before \{ tenant: 't0', subject: 's0' \}\nafter\n/)
    expect((await readAll(folder, values))[0]).toBe('shredded')
  })
})
