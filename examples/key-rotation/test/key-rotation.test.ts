// The program as a schedule runs it, and the files of the schedules.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** Runs the program; ends it when it prints a line, if there is one to end it at. */
async function rotate({ environment }: Made, signal?: { readonly name: NodeJS.Signals; readonly at: string }): Promise<number | string> {
  const child = spawn(process.execPath, [ROTATE], { env: { ...process.env, ...environment } })
  let printed = ''
  child.stdout.on('data', (data: Buffer) => {
    printed += data.toString()
    if (signal !== undefined && printed.includes(signal.at)) child.kill(signal.name)
  })
  return new Promise((resolve) => child.on('close', (code, killed) => resolve(code ?? killed ?? '')))
}

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

  test('SIGTERM: 2, and nothing is closed; SIGKILL; then a run that ends it', async () => {
    const made = await ground()
    expect(await rotate(made, { name: 'SIGTERM', at: 'waiting 0/1' })).toBe(2)
    expect(await made.region()).toMatchObject({ rotation: { state: 'unfinished' }, rootVersions: [{ state: 'live' }, { state: 'live' }] })
    expect(await rotate(made, { name: 'SIGKILL', at: 'waiting 0/1' })).toBe('SIGKILL')
    expect(await rotate(made)).toBe(0)
    expect(await made.region()).toMatchObject({ shreds: { waiting: { count: 0 } } })
  })
})

describe('schedules', () => {
  const SET = ['VAULT', 'KEY_BACKUPS', 'ROOT_BACKUPS', 'CREDENTIALS_DIRECTORY']

  test('cron: five fields, a user, every variable, the program', () => {
    const lines = schedule('crontab')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split('=')[0])).toEqual(['MAILTO', ...SET])
    expect(lines.at(-1)).toMatch(/^15 3 \* \* 0 strongroom flock -n \S+ \/usr\/bin\/node \/opt\/strongroom\/rotate\.mjs >\/dev\/null$/)
  })

  test('systemd: the unit sets what the program reads, and systemd takes both files where it is at hand', () => {
    const service = schedule('strongroom-rotate.service')
    const variables = [...service.matchAll(/^Environment=([A-Z_]+)=/gm)].map(([, name]) => name)
    expect([...variables, 'CREDENTIALS_DIRECTORY']).toEqual(SET)
    expect(service).toMatch(/^LoadCredential=passphrase:/m)
    expect(service).toMatch(/^ExecStart=\/usr\/bin\/node \/opt\/strongroom\/rotate\.mjs$/m)
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
    expect(pod).toMatchObject({ restartPolicy: 'OnFailure', terminationGracePeriodSeconds: 30, securityContext: { runAsNonRoot: true } })
    expect(pod.securityContext).not.toHaveProperty('fsGroup')
    const [container] = pod.containers
    expect(container.command).toEqual(['node', '/opt/strongroom/rotate.mjs'])
    expect(container.env.map(({ name }: { readonly name: string }) => name)).toEqual(SET)
    const named = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name).toSorted()
    expect(named(container.volumeMounts)).toEqual(named(pod.volumes))
    expect(pod.volumes.at(-1).secret.defaultMode).toBe(0o444)
  })
})
