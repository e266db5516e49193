/** `strongroom verify-keys`. */

import type { KeyFinding, KeyProblem, KeyReport } from '@strongroom/core'
import type { Command } from 'commander'

import { ExitCode } from '../exit-code.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { count } from '../terminal/count.ts'

/** What a finding means here: `damage` makes the command fail. */
const MEANINGS: Readonly<Record<KeyProblem, { readonly damage: boolean; readonly text: string }>> = {
  tenant_does_not_open: { damage: true, text: 'a tenant does not open, nor does anything of it' },
  tenant_unfinished: { damage: false, text: 'the making of a tenant was not ended; tenants.create with its name ends it' },
  version_does_not_open: { damage: true, text: 'a key does not open' },
  wrapping_key_does_not_open: { damage: true, text: 'a wrapping key does not open' },
  wrapping_key_missing: { damage: true, text: 'the wrapping key of a key is missing' },
  parent_missing: { damage: true, text: 'what a key hangs beneath is missing' },
  wrapping_key_without_tenant: { damage: false, text: 'a tenant was never wholly made; the next rotation sees to it' },
  wrapping_key_outdated: { damage: false, text: 'a rotation has not ended; run it again' },
  version_unreferenced: { damage: false, text: 'an old key that no other key needs; values were not looked for' },
}

export function addVerifyKeys(program: Command, runner: Runner): void {
  const command = program
    .command('verify-keys')
    .summary('open every key, and list what is wrong')
    .description(
      `open every key of every tenant and list what is wrong; changes nothing, but that opening the vault puts the key store right. Ends with ${ExitCode.failed} where a key is damaged`,
    )
  withVaultFlags(command).action((flags: SharedFlags) => runner.run('verify-keys', flags, verifyKeys))
}

async function verifyKeys(session: Session): Promise<Outcome> {
  const { signal } = session
  const vault = await session.openVault()
  const { findings, report } = await collect(vault.verifyKeys({ signal }))
  const unseen = findings.filter(isUnseen).length
  const damaged = findings.filter((finding) => MEANINGS[finding.problem].damage && !isUnseen(finding)).length
  const { tenants, nodes, wrappingKeys, skippedRegions } = report
  return {
    lines: [
      ...findings.map(describe),
      ...skippedRegions.map((region) => `region ${region} was left out: there is no provider for it in this configuration`),
      `${count(nodes, 'key')} and ${count(wrappingKeys, 'wrapping key')} of ${count(tenants, 'tenant')}, the vault itself among them: ` +
        verdict(damaged, unseen),
    ],
    summary: { ...report, damaged, unseen, details: findings },
    exitCode: damaged + unseen === 0 ? ExitCode.done : ExitCode.failed,
    isOutput: true,
  }
}

// Nothing is known of a key that the provider has no root key for: it lacks the newest, or holds another.
function isUnseen({ code }: KeyFinding): boolean {
  return code === 'wrong_root_key'
}

function verdict(damaged: number, unseen: number): string {
  if (unseen > 0)
    return `${damaged} damaged, ${unseen} not looked at: put the newest root key back, and run this again before anything else`
  if (damaged === 0) return 'all that live open'
  return `${damaged} damaged; put their records back from a backup: "One record from a backup" in the runbook`
}

async function collect(
  verification: AsyncGenerator<KeyFinding, KeyReport>,
): Promise<{ readonly findings: readonly KeyFinding[]; readonly report: KeyReport }> {
  const findings: KeyFinding[] = []
  for (;;) {
    const step = await verification.next()
    if (step.done === true) return { findings, report: step.value }
    findings.push(step.value)
  }
}

function describe({ problem, kind, ref, tenantRef, version, code }: KeyFinding): string {
  const details = [
    kind,
    ref,
    ...(version === undefined ? [] : [`version ${version}`]),
    `of tenant ${tenantRef}`,
    ...(code === undefined ? [] : [code]),
  ]
  return `${problem}: ${MEANINGS[problem].text} (${details.join(', ')})`
}
