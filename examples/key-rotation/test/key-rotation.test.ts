// The program as a schedule runs it, and the files of the schedules.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { RegionStatus, Vault } from '@strongroom/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url))
const ROTATE = join(EXAMPLE, 'rotate.mjs')
const schedule = (name: string): string => readFileSync(join(EXAMPLE, 'schedule', name), 'utf8')

interface Made {
  readonly environment: Readonly<Record<'VAULT' | 'KEY_BACKUPS' | 'ROOT_BACKUPS' | 'CREDENTIALS_DIRECTORY', string>>
  withVault<T>(work: (vault: Vault) => Promise<T>): Promise<T>
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-key-rotation-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function ground(): Promise<Made & { region(): Promise<RegionStatus> }> {
  const { makeVault } = (await import(join(EXAMPLE, 'make-vault.mjs'))) as { makeVault(folder: string): Promise<Made> }
  const made = await makeVault(temporaryFolder())
  return { ...made, region: () => made.withVault(async (vault) => (await vault.status()).regions[0] as RegionStatus) }
}

interface Circumstances {
  /** Sent when that is printed. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly at: string }
  /** Code that is run in the process before the program. */
  readonly before?: string
}

interface Ended {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program. */
async function run({ environment }: Made, { signal, before = '' }: Circumstances = {}): Promise<Ended> {
  const preload = `data:text/javascript,${encodeURIComponent(before)}`
  const child = spawn(process.execPath, ['--import', preload, ROTATE], { env: { ...process.env, ...environment } })
  let printed = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => {
    printed += data.toString()
    if (signal !== undefined && printed.includes(signal.at)) child.kill(signal.name)
  })
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  return new Promise((resolve) => child.on('close', (code, killed) => resolve({ code: code ?? killed ?? '', stdout: printed, stderr })))
}

async function rotate(made: Made, signal?: Circumstances['signal']): Promise<number | string> {
  return (await run(made, signal === undefined ? {} : { signal })).code
}

// The disk of the backups is full: folders are made there, and nothing can be put into them.
const KEY_BACKUPS_FULL = `
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const { mkdirSync } = fs
  fs.mkdirSync = (path, ...rest) => {
    if (path.startsWith(process.env.KEY_BACKUPS + '/')) throw new Error('ENOSPC: no space left on device')
    return mkdirSync(path, ...rest)
  }
  syncBuiltinESMExports()`

// Told to stop while it copies the root key file, which then fails of itself.
const COPY_FAILS_AFTER_SIGTERM = `
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  fs.promises.copyFile = async () => {
    process.kill(process.pid, 'SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 100))
    throw new Error('ENOSPC: no space left on device')
  }
  syncBuiltinESMExports()`

// Says, among what the program prints, what is copied, what is then on the disk, and what is replaced.
const HEARD = `
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const { copyFile, open, rename } = fs.promises
  fs.promises.copyFile = async (from, to) => {
    await copyFile(from, to)
    console.log('copied ' + to)
  }
  fs.promises.open = async (path, ...rest) => {
    const handle = await open(path, ...rest)
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      await sync()
      console.log('synced ' + path)
    }
    return handle
  }
  fs.promises.rename = async (from, to) => {
    await rename(from, to)
    console.log('replaced ' + to)
  }
  syncBuiltinESMExports()`

describe('rotate.mjs', () => {
  test('a whole epoch: what was shredded waits for nothing but time, and the copies are there', async () => {
    const made = await ground()
    expect((await made.region()).shreds.waiting.count).toBe(1)
    expect(await rotate(made)).toBe(0)
    expect(await made.region()).toMatchObject({
      current: 2,
      rootVersions: [
        { number: 1, state: 'destroyed' },
        { number: 2, state: 'live' },
      ],
      shreds: { waiting: { count: 0 }, awaiting: { count: 1 }, blockedBy: ['copies_live'] },
    })
    expect(readdirSync(made.environment.KEY_BACKUPS).length).toBe(1)
    expect(readdirSync(made.environment.ROOT_BACKUPS).filter((name) => name.endsWith('-closed.key')).length).toBe(1)
  })

  test('every copy of the root key is on the disk, and its name, before anything else is done', async () => {
    const made = await ground()
    const { code, stdout } = await run(made, { before: HEARD })
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    const { VAULT, ROOT_BACKUPS } = made.environment
    const copies = lines.filter((line) => line.startsWith(`copied ${ROOT_BACKUPS}`))
    expect(copies.map((line) => line.endsWith('-closed.key'))).toEqual([false, true])
    for (const copy of copies)
      expect(lines.slice(lines.indexOf(copy)).slice(1, 3)).toEqual([copy.replace('copied', 'synced'), `synced ${ROOT_BACKUPS}`])
    // The first before the old version is destroyed, the second after.
    const destroyed = lines.lastIndexOf(`replaced ${VAULT}/root.key`)
    expect(copies.map((copy) => lines.indexOf(copy) < destroyed)).toEqual([true, false])
  })

  test('SIGTERM: 2, and nothing is closed; SIGKILL; then a run that ends it', async () => {
    const made = await ground()
    expect(await rotate(made, { name: 'SIGTERM', at: 'waiting 0/1' })).toBe(2)
    expect(await made.region()).toMatchObject({ rotation: { state: 'unfinished' }, rootVersions: [{ state: 'live' }, { state: 'live' }] })
    expect(await rotate(made, { name: 'SIGKILL', at: 'waiting 0/1' })).toBe('SIGKILL')
    expect(await rotate(made)).toBe(0)
    expect(await made.region()).toMatchObject({ shreds: { waiting: { count: 0 } } })
  })
})

describe('rotate.mjs where something is amiss', () => {
  test.each(['VAULT', 'KEY_BACKUPS', 'ROOT_BACKUPS', 'CREDENTIALS_DIRECTORY'])('%s is not set: said, and nothing is done', async (name) => {
    const made = await ground()
    const { code, stderr } = await run({ ...made, environment: { ...made.environment, [name]: '' } })
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${name} must be set`)])
    expect((await made.region()).rootVersions.length).toBe(1)
  })

  test('a backup that fails, three times: one new root version; then it can be made, and the epoch is closed without another', async () => {
    const made = await ground()
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { code, stderr } = await run(made, { before: KEY_BACKUPS_FULL })
      expect([code, stderr]).toEqual([1, expect.stringContaining('ENOSPC')])
      expect((await made.region()).rootVersions.map(({ number, state }) => [number, state])).toEqual([
        [1, 'live'],
        [2, 'live'],
      ])
    }
    expect(await rotate(made)).toBe(0)
    const region = await made.region()
    expect(region.rootVersions.map(({ number, state }) => [number, state])).toEqual([
      [1, 'destroyed'],
      [2, 'live'],
    ])
    expect(region.shreds.blockedBy).toEqual(['copies_live'])
    // The next one is a whole epoch again.
    expect(await rotate(made)).toBe(0)
    expect((await made.region()).current).toBe(3)
  })

  test.each(['KEY_BACKUPS', 'ROOT_BACKUPS'] as const)('%s is not there: 1, before anything is changed', async (name) => {
    const made = await ground()
    const { code, stderr } = await run({ ...made, environment: { ...made.environment, [name]: join(made.environment.VAULT, 'missing') } })
    expect([code, stderr]).toEqual([1, expect.stringContaining('ENOENT')])
    expect(await made.region()).toMatchObject({ rotation: { state: 'none' }, rootVersions: [{ state: 'live' }] })
    expect(await rotate(made)).toBe(0)
    expect((await made.region()).current).toBe(2)
  })

  test('an error after SIGTERM is told as the error that it is', async () => {
    const { code, stderr } = await run(await ground(), { before: COPY_FAILS_AFTER_SIGTERM })
    expect([code, stderr]).toEqual([1, expect.stringContaining('ENOSPC')])
    expect(stderr).not.toContain('interrupted')
  })

  test('a passphrase file as Windows writes it; names of copies that every file system takes', async () => {
    const made = await ground()
    const file = join(made.environment.CREDENTIALS_DIRECTORY, 'passphrase')
    writeFileSync(file, readFileSync(file, 'utf8').replace('\n', '\r\n'))
    expect(await rotate(made)).toBe(0)
    const names = [...readdirSync(made.environment.KEY_BACKUPS), ...readdirSync(made.environment.ROOT_BACKUPS)]
    expect(names.length).toBe(3)
    for (const name of names) expect(name).toMatch(/^[\w.-]+$/)
  })
})

// What the unit must not lose. SystemCallFilter was compared with what the program calls: only pkey_alloc is not in it, and it does without.
const HARDENING = [
  'LimitCORE=0',
  'CapabilityBoundingSet=',
  'NoNewPrivileges=yes',
  'PrivateDevices=yes',
  'ProtectHome=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectSystem=strict',
  'RestrictAddressFamilies=AF_UNIX',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
]

describe('schedules', () => {
  const SET = ['VAULT', 'KEY_BACKUPS', 'ROOT_BACKUPS', 'CREDENTIALS_DIRECTORY']

  test('cron: five fields, a user, every variable, the program', () => {
    const lines = schedule('crontab')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split('=')[0])).toEqual(['MAILTO', ...SET])
    expect(lines.at(-1)).toMatch(/^15 3 \* \* 0 strongroom flock .* \/usr\/bin\/node \/opt\/strongroom\/rotate\.mjs >\/dev\/null/)
  })

  test('cron: a run that another keeps from starting says so, every other ends without a word of the schedule', async () => {
    const [line = ''] = schedule('crontab').trim().split('\n').slice(-1)
    const VAULT = temporaryFolder()
    const command = (program: string): string =>
      line.replace(/^15 3 \* \* 0 strongroom /, '').replace('/opt/strongroom/rotate.mjs', program)
    const [ends, stays] = ['ends.mjs', 'stays.mjs'].map((name) => join(VAULT, name)) as [string, string]
    writeFileSync(ends, 'process.exitCode = 1')
    writeFileSync(stays, "process.stderr.write('started'); process.stdin.resume()")
    // As cron does: /bin/sh, no environment but its own lines.
    const shell = (program: string): readonly string[] => ['-c', command(program).replace('/usr/bin/node', process.execPath)]
    const env = { PATH: '/usr/bin:/bin', VAULT }
    expect(spawnSync('/bin/sh', shell(ends), { env, encoding: 'utf8' })).toMatchObject({ stdout: '', stderr: '' })
    const other = spawn('/bin/sh', shell(stays), { env, stdio: ['pipe', 'ignore', 'pipe'] })
    const ended = new Promise((resolve) => other.on('close', resolve))
    await new Promise((resolve) => other.stderr.once('data', resolve))
    const second = spawnSync('/bin/sh', shell(ends), { env, encoding: 'utf8' })
    other.stdin.end()
    await ended
    expect(second).toMatchObject({ stdout: '', stderr: `strongroom: not rotated: another run has ${VAULT}/rotate.lock\n` })
    expect(spawnSync('/bin/sh', shell(ends), { env, encoding: 'utf8' }).stderr).toBe('')
  })

  test('systemd: the unit sets what the program reads, and systemd takes both files where it is at hand', () => {
    const service = schedule('strongroom-rotate.service')
    const variables = [...service.matchAll(/^Environment=([A-Z_]+)=/gm)].map(([, name]) => name)
    expect([...variables, 'CREDENTIALS_DIRECTORY']).toEqual(SET)
    expect(service).toMatch(/^LoadCredential=passphrase:/m)
    expect(service).toMatch(/^ExecStart=\/usr\/bin\/node \/opt\/strongroom\/rotate\.mjs$/m)
    for (const line of HARDENING) expect(service.split('\n')).toContain(line)
    // Both of the unit's first section, where systemd reads them.
    expect(service.split('[Service]')[0]).toMatch(/^StartLimitIntervalSec=1h\nStartLimitBurst=5$/m)
    expect(schedule('strongroom-rotate.timer')).toMatch(/^OnCalendar=Sun 03:15$/m)
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) return
    const folder = temporaryFolder()
    // The programs of this machine: systemd looks whether they are there.
    writeFileSync(
      join(folder, 'strongroom-rotate.service'),
      service.replace('/usr/bin/node /opt/strongroom/rotate.mjs', `${process.execPath} ${ROTATE}`),
    )
    copyFileSync(join(EXAMPLE, 'schedule', 'strongroom-rotate.timer'), join(folder, 'strongroom-rotate.timer'))
    const units = ['strongroom-rotate.service', 'strongroom-rotate.timer'].map((name) => join(folder, name))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })

  test('Kubernetes: one at a time, time to stop, every variable, and every mount has its volume', () => {
    // Octal numbers as Kubernetes reads them.
    const job = parse(schedule('cronjob.yaml'), { version: '1.1' })
    expect(job).toMatchObject({ apiVersion: 'batch/v1', kind: 'CronJob', spec: { schedule: '15 3 * * 0', concurrencyPolicy: 'Forbid' } })
    const pod = job.spec.jobTemplate.spec.template.spec
    expect(pod).toMatchObject({
      restartPolicy: 'OnFailure',
      terminationGracePeriodSeconds: 30,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(pod.securityContext).not.toHaveProperty('fsGroup')
    const [container] = pod.containers
    const [first] = pod.initContainers
    expect(container.command).toEqual(['node', '/opt/strongroom/rotate.mjs'])
    expect(container.env.map(({ name }: { readonly name: string }) => name)).toEqual(SET)
    const named = (list: readonly { readonly name: string }[]): readonly string[] => [...new Set(list.map(({ name }) => name))].toSorted()
    expect(named([...container.volumeMounts, ...first.volumeMounts])).toEqual(named(pod.volumes))
    // The program sees the copy alone.
    expect(named(container.volumeMounts)).not.toContain('secret')
    for (const { securityContext } of [container, first])
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
  })

  test('Kubernetes: the passphrase is copied for its owner alone, and may be copied again', () => {
    const pod = parse(schedule('cronjob.yaml'), { version: '1.1' }).spec.jobTemplate.spec.template.spec
    const folder = temporaryFolder()
    const secret = join(folder, 'secret')
    const copy = join(folder, 'copy')
    writeFileSync(secret, 'passphrase\n', { mode: pod.volumes.at(-1).secret.defaultMode })
    const [program, ...args] = pod.initContainers[0].command.map((each: string) =>
      each.replace('/secret/passphrase', secret).replace('/run/secrets/strongroom/passphrase', copy),
    )
    for (let time = 1; time <= 2; time++) {
      expect(spawnSync(program, args, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
      expect(readFileSync(copy, 'utf8')).toBe('passphrase\n')
      expect(statSync(copy).mode & 0o077).toBe(0)
    }
  })
})
