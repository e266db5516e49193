/**
 * Whether a file descriptor came from whoever started the process. Node has pipes of its own, some of them to itself: whoever reads those
 * takes its signals away, and waits for ever.
 */

import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

import { CliError } from '../cli-error.ts'

const DESCRIPTORS = '/proc/self/fd'
const ACCESS = 0o3
const READ_ONLY = 0o0
const WRITE_ONLY = 0o1

/**
 * To be called before anything else opens descriptors. Only Linux tells what a pipe is connected to: elsewhere one of Node's own is taken
 * for one that was handed over.
 *
 * @throws CliError `passphrase_unusable`
 */
export function requireHandedOver(descriptor: number): void {
  if (isOpen(descriptor) && !isWriteOnly(descriptor) && !isPipeToItself(descriptor)) return
  throw new CliError(
    'passphrase_unusable',
    `file descriptor ${descriptor} was not handed over to be read; npx passes on 0 to 2 alone, and sudo closes those above 2`,
  )
}

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}

function isWriteOnly(descriptor: number): boolean {
  return accessOf(descriptor) === WRITE_ONLY
}

// That a descriptor is closed on exec tells nothing: Node sets it for those that it was given too.
function isPipeToItself(descriptor: number): boolean {
  const pipe = pipeOf(descriptor)
  if (pipe === undefined) return false
  const others = readdirSync(DESCRIPTORS)
    .map(Number)
    .filter((other) => other !== descriptor && pipeOf(other) === pipe)
  return others.some((other) => accessOf(other) !== READ_ONLY)
}

function pipeOf(descriptor: number): string | undefined {
  try {
    return fstatSync(descriptor).isFIFO() ? readlinkSync(`${DESCRIPTORS}/${descriptor}`) : undefined
  } catch {
    return undefined
  }
}

function accessOf(descriptor: number): number | undefined {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return flags === undefined ? undefined : Number.parseInt(flags, 8) & ACCESS
  } catch {
    return undefined
  }
}
