// Checking the certificate of an erasure where there is a vault, and where there is none.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { hours } from '@strongroom/core'
import { expect, test } from 'vitest'

import { closedAlice } from '../../erasure/test/certificate/support.ts'
import { shell, strongroom } from './support/command.ts'
import { emptyFolder, vaultFolder } from './support/vault-folder.ts'

test('by the vault, and by its published keys without the vault: in words, and as JSON', async () => {
  const { folder, with: opened } = await vaultFolder()
  const { certificate, references, requestedAt } = await opened((vault) => closedAlice(vault, 't0'))
  writeFileSync(join(folder, 'certificate'), `${certificate}\n`)
  expect((await shell(folder, 'strongroom receipt-keys > keys')).code).toBe(0)

  const own = await strongroom(folder, ['verify-certificate', 'certificate'])
  expect([own.code, own.stderr]).toEqual([0, ''])
  expect(own.stdout).toMatch(/^valid: a trusted key has signed it\n\nCERTIFICATE OF ERASURE\n\nThe data described here was erased\./)
  expect(own.stdout).toContain(`\nAsked for           ${new Date(requestedAt).toISOString().slice(0, 19).replace('T', ' ')} UTC\n`)
  expect(own.stdout.split('\n').filter((line) => line.length > 78)).toEqual([])
  expect(await shell(folder, 'strongroom verify-certificate - < certificate')).toEqual(own)

  const elsewhere = emptyFolder()
  for (const name of ['certificate', 'keys']) writeFileSync(join(elsewhere, name), readFileSync(join(folder, name)))
  expect(await strongroom(elsewhere, ['verify-certificate', 'certificate', '--trusted-keys', 'keys'])).toEqual(own)
  const json = await strongroom(elsewhere, ['verify-certificate', 'certificate', '--trusted-keys', 'keys', '--json'])
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
    0,
    {
      valid: true,
      kind: 'subject',
      references,
      region: 'eu',
      reason: 'accountDeleted',
      suspendedAt: requestedAt + 1,
      policy: { sweep: hours(1) },
    },
  ])
})

test('refused: altered, signed by another vault, a receipt, no keys', async () => {
  const [{ folder, with: opened }, other] = [await vaultFolder(), await vaultFolder()]
  const { certificate, receipt } = await opened((vault) => closedAlice(vault, 't0'))
  expect((await shell(other.folder, 'strongroom receipt-keys > keys')).code).toBe(0)
  writeFileSync(join(folder, 'certificate'), certificate)
  writeFileSync(join(folder, 'altered'), `${certificate.slice(0, 40)}${certificate[40] === 'A' ? 'B' : 'A'}${certificate.slice(41)}`)
  writeFileSync(join(folder, 'receipt'), receipt)
  writeFileSync(join(folder, 'empty'), '')
  writeFileSync(join(folder, 'long'), 'A'.repeat(1024 * 1024 + 1))
  const refusals: readonly [readonly string[], RegExp][] = [
    [['altered'], /certificate_invalid: no trusted key has signed this certificate/],
    [['certificate', '--trusted-keys', join(other.folder, 'keys')], /certificate_invalid: no trusted key has signed this certificate/],
    [['receipt'], /certificate_invalid/],
    [['empty'], /certificate_invalid/],
    [['certificate', '--trusted-keys', 'empty'], /file_unusable: .*96 hexadecimal digits/],
    [['none'], /file_unusable: .* cannot be read \(ENOENT\)/],
    [['long'], /file_unusable: .*long holds more than 1024 KiB/],
  ]
  for (const [args, message] of refusals) {
    const { code, stdout, stderr } = await strongroom(folder, ['verify-certificate', ...args])
    expect([args, code, stdout]).toEqual([args, 1, ''])
    expect(stderr).toMatch(message)
  }
  const asReceipt = await strongroom(folder, ['verify-receipt', 'certificate'])
  expect([asReceipt.code, asReceipt.stderr]).toEqual([1, expect.stringMatching(/receipt_invalid/)])
  expect((await strongroom(folder, ['verify-certificate', 'certificate'])).code).toBe(0)
})
