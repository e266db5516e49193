// The command on lines of the combined format, as a process among others: megabytes for each second of a core, and the memory of a long stream.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { initVault, openVault, randomBytes } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'

import { median, quantile } from '../interleave.mjs'
import { logOf } from './log.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const COMMAND = join(ROOT, 'packages/cli/dist/bin.js')
const [MEGABYTES, ROUNDS, LONG_GIGABYTES] = [200, 5, 5]

/** The chapter, as lines. */
export async function lines() {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
  try {
    await makeVault(folder)
    const log = logOf(MEGABYTES * 1e6)
    writeFileSync(join(folder, 'access.log'), log)
    const node = (program) => `'${process.execPath}' '${program}'`
    const pass = fileURLToPath(new URL('pass-lines.mjs', import.meta.url))
    const contenders = {
      '`strongroom pseudonymise`': `${node(COMMAND)} pseudonymise acme --quiet access.log`,
      '`strongroom pseudonymise --redact-query token`': `${node(COMMAND)} pseudonymise acme --quiet --redact-query token access.log`,
      '`strongroom pseudonymise --mode prefix`': `${node(COMMAND)} pseudonymise acme --quiet --mode prefix access.log`,
      'Node.js, the same lines read and written as they are': `${node(pass)} access.log`,
      '`sed`, last number of an IPv4 host to 0': String.raw`sed -E 's/^(([0-9]+\.){3})[0-9]+ /\10 /' access.log`,
      '`awk`, the same': String.raw`awk '{ sub(/\.[0-9]+ /, ".0 "); print }' access.log`,
    }
    const measured = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
    for (let round = 0; round < ROUNDS; round++)
      for (const name of Object.keys(contenders).toSorted(() => Math.random() - 0.5)) measured[name].push(timed(contenders[name], folder))
    const [first] = Object.keys(contenders)
    const row = (name) => {
      const rates = measured[name].map(({ cpu }) => log.length / 1e6 / cpu)
      const ratios = measured[name].map(({ cpu }, i) => cpu / measured[first][i].cpu)
      const spread = `${quantile(rates, 0.25).toFixed(0)}–${quantile(rates, 0.75).toFixed(0)}`
      return `| ${name} | ${median(rates).toFixed(0)} (${spread}) | ${name === first ? '' : median(ratios).toFixed(2)} |`
    }
    const { halves, seconds, cpu } = await longStream(folder, log)
    return [
      '## Lines',
      '',
      `${MEGABYTES} MB of the combined format, ${Math.round(log.length / log.toString('latin1').split('\n').length)} bytes a line, 7 of 10 visitors by IPv4, one line in five with escapes in its URL; from a file to \`/dev/null\`, as processes, from start to`,
      `end, in turn in each of ${ROUNDS} rounds. Megabytes for each second of processor time that the process took, its start included (about 0.3 s of it): median (quartiles). Times as much processor time as the first: median.`,
      '',
      '| | MB a second of a core | time, of the first |',
      '| --- | --- | --- |',
      ...Object.keys(contenders).map(row),
      '',
      `${LONG_GIGABYTES} GB through the command by pipes: ${((LONG_GIGABYTES * 1000) / cpu).toFixed(0)} MB a second of a core, ${((LONG_GIGABYTES * 1000) / seconds).toFixed(0)} MB a second by the clock. At most ${halves[0]} MiB of memory resident in the first half, ${halves[1]} MiB in the second.`,
      '',
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Seconds of processor time, and nothing printed but them. */
function timed(command, cwd) {
  const script = `TIMEFORMAT='%U %S'; exec 3>&1; { time ${command} > /dev/null 2>&4; } 2>&3 4>&2`
  const output = execFileSync('bash', ['-c', script], { cwd, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  const [user, system] = output.trim().split(' ').map(Number)
  return { cpu: user + system }
}

async function longStream(folder, log) {
  const child = spawn(process.execPath, [COMMAND, 'pseudonymise', 'acme', '--quiet'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdout.resume()
  const seen = []
  const start = performance.now()
  let cpu = 0
  for (let sent = 0; sent < LONG_GIGABYTES * 1e9; sent += log.length) {
    for (let at = 0; at < log.length; at += 2 ** 20)
      if (!child.stdin.write(log.subarray(at, at + 2 ** 20))) await once(child.stdin, 'drain')
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    seen.push(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024)
    const [, , , , , , , , , , , user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    cpu = (Number(user) + Number(system)) / 100
  }
  child.stdin.end()
  await once(child, 'exit')
  const half = Math.floor(seen.length / 2)
  const most = (values) => Math.round(Math.max(...values))
  return { halves: [most(seen.slice(0, half)), most(seen.slice(half))], seconds: (performance.now() - start) / 1000, cpu }
}

async function makeVault(folder) {
  const rawKey = randomBytes(32)
  writeFileSync(join(folder, 'raw.key'), rawKey, { mode: 0o600 })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await createLocalKeyFile({ file: join(folder, 'root.key'), rawKey, region: 'eu' })
  const options = async () => ({
    keyProviders: { eu: await localKeyProvider({ file: join(folder, 'root.key'), rawKey, copiesLife: 86_400_000 }) },
    defaultRegion: 'eu',
    ...localStores({ directory: join(folder, 'vault') }),
  })
  const making = await options()
  await initVault(making)
  await making.close()
  const vault = await openVault(await options())
  await vault.tenants.create('acme')
  await vault.close()
  writeFileSync(
    join(folder, 'strongroom.config.mjs'),
    `import { readFileSync } from 'node:fs'
import { localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
export default async () => ({
  keyProviders: { eu: await localKeyProvider({ file: 'root.key', rawKey: readFileSync('raw.key'), copiesLife: 86_400_000 }) },
  defaultRegion: 'eu',
  ...localStores({ directory: 'vault' }),
})
`,
  )
}
