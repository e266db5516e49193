/** What every {@link KeyProvider} must do, ours or not, as cases for any test runner. */

import { equalBytes } from '../crypto/hash.ts'
import { randomBytes } from '../crypto/random.ts'
import type { Destruction, ProviderWrap, RootVersion } from '../format/records.ts'
import type { KeyProvider } from '../keys/key-provider.ts'
import { check, type ContractCase, expectCode } from './contract.ts'

/** What is under test, and what it says of itself. */
export interface KeyProviderContractOptions {
  /** A provider over a root of its own that nothing has used, on every call. */
  readonly create: () => Promise<KeyProvider>
  /** A second instance over the root of one that `create` returned, as another process would open it. */
  readonly reopen: (provider: KeyProvider) => Promise<KeyProvider>
  /** True if a wrap opens only with the associated data that it was made with. */
  readonly nativeAad: boolean
  /** The level that its `destroyVersion` answers. */
  readonly level: Destruction['level']
  /** When a destroyed version stops unwrapping. `scheduled` and `never` are not waited for. Default: `at-once`. */
  readonly destroys?: 'at-once' | 'scheduled' | 'never'
}

// What core wraps: a wrapping key and the check of its place.
const PLAINTEXT_BYTES = 64

/**
 * The contract of {@link KeyProvider}. A case that resolves has passed; one that rejects says what is wrong.
 *
 * @example
 * ```ts
 * import { keyProviderContract, memoryKeyProvider } from '@strongroom/core/testing'
 * import { test } from 'vitest'
 *
 * const suite = keyProviderContract({
 *   create: async () => memoryKeyProvider(),
 *   reopen: async (provider) => provider,
 *   nativeAad: true,
 *   level: 'confirmed',
 * })
 * for (const each of suite) test(each.name, () => each.run())
 * ```
 */
export function keyProviderContract(options: KeyProviderContractOptions): readonly ContractCase[] {
  const { create, reopen } = options
  const cases: ContractCase[] = [
    { name: 'what wrap returned, unwrap opens, again and again', run: async () => roundTrip(await create()) },
    { name: 'a second instance over the same root opens it', run: () => secondInstance(create, reopen) },
    { name: 'another root refuses it with wrong_root_key', run: () => anotherRoot(create) },
    { name: 'an unknown number and a wrong id are refused with wrong_root_key', run: async () => unknownVersion(await create()) },
    { name: 'a wrap does not open as that of another version', run: async () => anotherVersion(await create()) },
    {
      name: 'every altered byte of a wrap, a cut and a longer one are refused with decrypt_failed',
      run: async () => alteredWrap(await create()),
    },
    { name: 'versions are listed in ascending order', run: async () => listing(await create()) },
    { name: 'wrap uses the newest live version, and older wraps still open', run: async () => newestVersion(await create()) },
    { name: 'a number is never used twice, nor one below it', run: async () => reusedNumber(await create()) },
    { name: 'many wraps and unwraps at once do not mix', run: async () => concurrent(await create()) },
    { name: 'destroyVersion answers its level, and repeats the answer', run: async () => destruction(await create(), options.level) },
  ]
  if (options.nativeAad) {
    cases.push({ name: 'other associated data are refused with decrypt_failed', run: async () => otherAad(await create()) })
  }
  if ((options.destroys ?? 'at-once') === 'at-once') {
    cases.push({ name: 'a destroyed version opens nothing, anywhere, and stays listed', run: () => destroyed(create, reopen) })
  }
  return cases
}

async function roundTrip(provider: KeyProvider): Promise<void> {
  check(provider.region === undefined || provider.region.length > 0, 'region is a name or undefined')
  for (const aad of [new Uint8Array(0), randomBytes(1), randomBytes(200)]) {
    const plaintext = randomBytes(PLAINTEXT_BYTES)
    const before = Uint8Array.from(plaintext)
    const wrapped = await provider.wrap(plaintext, { aad })
    check(equalBytes(plaintext, before), 'wrap leaves its argument as it was')
    const first = await provider.unwrap(wrapped, { aad })
    check(equalBytes(first, before), 'unwrap returns what was wrapped')
    first.fill(0)
    check(equalBytes(await provider.unwrap(wrapped, { aad }), before), "what unwrap returned is the caller's own copy")
  }
}

async function secondInstance(create: () => Promise<KeyProvider>, reopen: (provider: KeyProvider) => Promise<KeyProvider>): Promise<void> {
  const provider = await create()
  const sample = await wrapSample(provider)
  const second = await reopen(provider)
  check(await opens(second, sample), 'a second instance opens what the first wrapped')
  check(await opens(provider, await wrapSample(second)), 'the first opens what the second wrapped')
  await provider.createVersion((await newest(provider)).number + 1)
  check(await opens(second, await wrapSample(provider)), 'a second instance opens what a version made since wrapped')
}

async function anotherRoot(create: () => Promise<KeyProvider>): Promise<void> {
  const { wrapped, aad } = await wrapSample(await create())
  const other = await create()
  await expectCode(other.unwrap(wrapped, { aad }), 'wrong_root_key')
  // Even where the other root's own version is named, it is the key that must not fit.
  await expectCode(other.unwrap({ rootVersion: await newest(other), wrap: wrapped.wrap }, { aad }), 'decrypt_failed')
}

async function anotherVersion(provider: KeyProvider): Promise<void> {
  const old = await wrapSample(provider)
  const next = await provider.createVersion(old.wrapped.rootVersion.number + 1)
  await expectCode(provider.unwrap({ rootVersion: next, wrap: old.wrapped.wrap }, { aad: old.aad }), 'decrypt_failed')
  check(await opens(provider, old), 'under its own version it opens')
}

async function unknownVersion(provider: KeyProvider): Promise<void> {
  const sample = await wrapSample(provider)
  const { rootVersion, wrap } = sample.wrapped
  const id = Uint8Array.from(rootVersion.id)
  id[0] = (id[0] as number) ^ 1
  const unwrap = (version: RootVersion): Promise<Uint8Array> => provider.unwrap({ rootVersion: version, wrap }, { aad: sample.aad })
  await expectCode(unwrap({ number: rootVersion.number, id }), 'wrong_root_key')
  await expectCode(unwrap({ number: rootVersion.number, id: new Uint8Array(0) }), 'wrong_root_key')
  await expectCode(unwrap({ number: rootVersion.number + 1, id: rootVersion.id }), 'wrong_root_key')
  await expectCode(provider.destroyVersion(rootVersion.number + 1), 'wrong_root_key')
  check(await opens(provider, sample), 'the right number and id open')
}

async function alteredWrap(provider: KeyProvider): Promise<void> {
  const sample = await wrapSample(provider)
  const { rootVersion, wrap } = sample.wrapped
  const refused = (altered: Uint8Array): Promise<void> =>
    expectCode(provider.unwrap({ rootVersion, wrap: altered }, { aad: sample.aad }), 'decrypt_failed')
  for (let i = 0; i < wrap.length; i++) {
    // Not slice: that of a Buffer is a view, and would alter the wrap itself.
    const altered = Uint8Array.from(wrap)
    altered[i] = (altered[i] as number) ^ (1 << (i % 8))
    await refused(altered)
  }
  await refused(wrap.subarray(0, -1))
  await refused(new Uint8Array(0))
  const longer = new Uint8Array(wrap.length + 1)
  longer.set(wrap)
  await refused(longer)
  check(await opens(provider, sample), 'the wrap as it was opens')
}

async function otherAad(provider: KeyProvider): Promise<void> {
  const sample = await wrapSample(provider)
  const other = Uint8Array.from(sample.aad)
  other[0] = (other[0] as number) ^ 1
  await expectCode(provider.unwrap(sample.wrapped, { aad: other }), 'decrypt_failed')
  await expectCode(provider.unwrap(sample.wrapped, { aad: new Uint8Array(0) }), 'decrypt_failed')
  check(await opens(provider, sample), 'the same associated data open')
}

async function listing(provider: KeyProvider): Promise<void> {
  const last = await newest(provider)
  await provider.createVersion(last.number + 1)
  await provider.createVersion(last.number + 5)
  const numbers = (await provider.versions()).map(({ number }) => number)
  check(
    numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number)),
    'numbers ascend',
  )
  check(numbers.slice(-3).join() === [last.number, last.number + 1, last.number + 5].join(), 'every version is listed under its number')
}

async function newestVersion(provider: KeyProvider): Promise<void> {
  const old = await wrapSample(provider)
  const created = await provider.createVersion(old.wrapped.rootVersion.number + 1)
  const listed = await newest(provider)
  check(created.number === listed.number && equalBytes(created.id, listed.id), 'createVersion returns what versions lists')
  const { rootVersion } = (await wrapSample(provider)).wrapped
  check(rootVersion.number === created.number && equalBytes(rootVersion.id, created.id), 'wrap names the newest live version')
  check(await opens(provider, old), 'wraps of an older live version still open')
}

async function reusedNumber(provider: KeyProvider): Promise<void> {
  const { number } = await newest(provider)
  await expectCode(provider.createVersion(number), 'conflict')
  await provider.createVersion(number + 3)
  await expectCode(provider.createVersion(number + 3), 'conflict')
  await expectCode(provider.createVersion(number + 1), 'conflict')
  check((await newest(provider)).number === number + 3, 'a refused number changes nothing')
}

async function concurrent(provider: KeyProvider): Promise<void> {
  const samples = await Promise.all(Array.from({ length: 16 }, () => wrapSample(provider)))
  const opened = await Promise.all(samples.map((sample) => opens(provider, sample)))
  check(
    opened.every((ok) => ok),
    'each unwrap returns its own plaintext',
  )
}

async function destruction(provider: KeyProvider, level: Destruction['level']): Promise<void> {
  const { number } = await newest(provider)
  await provider.createVersion(number + 1)
  const answer = await provider.destroyVersion(number)
  check(answer.level === level, `the level is ${level}`)
  check(Number.isSafeInteger(answer.effectiveAt) && Number.isSafeInteger(answer.copiesUntil), 'instants are whole milliseconds')
  check(answer.copiesUntil >= answer.effectiveAt, 'copies are not gone before the key is')
  const again = await provider.destroyVersion(number)
  check(
    again.level === answer.level && again.effectiveAt === answer.effectiveAt && again.copiesUntil === answer.copiesUntil,
    'repeating it repeats the answer',
  )
  await expectCode(provider.createVersion(number), 'conflict')
}

async function destroyed(create: () => Promise<KeyProvider>, reopen: (provider: KeyProvider) => Promise<KeyProvider>): Promise<void> {
  const provider = await create()
  const openedBefore = await reopen(provider)
  const old = await wrapSample(provider)
  check(await opens(openedBefore, old), 'it opens before it is destroyed')
  const { number, id } = old.wrapped.rootVersion
  await provider.createVersion(number + 1)
  const kept = await wrapSample(provider)
  await provider.destroyVersion(number)
  for (const instance of [provider, openedBefore, await reopen(provider)]) {
    await expectCode(instance.unwrap(old.wrapped, { aad: old.aad }), 'root_version_destroyed')
    const listed = (await instance.versions()).find((version) => version.number === number)
    check(listed?.state === 'destroyed' && equalBytes(listed.id, id), 'it stays listed, as destroyed')
    await expectCode(instance.createVersion(number), 'conflict')
    check(await opens(instance, kept), 'other versions still open')
  }
}

interface Sample {
  readonly plaintext: Uint8Array
  readonly aad: Uint8Array
  readonly wrapped: ProviderWrap
}

async function wrapSample(provider: KeyProvider): Promise<Sample> {
  const plaintext = randomBytes(PLAINTEXT_BYTES)
  const aad = randomBytes(40)
  return { plaintext, aad, wrapped: await provider.wrap(plaintext, { aad }) }
}

async function opens(provider: KeyProvider, { plaintext, aad, wrapped }: Sample): Promise<boolean> {
  return equalBytes(await provider.unwrap(wrapped, { aad }), plaintext)
}

async function newest(provider: KeyProvider): Promise<RootVersion> {
  const last = (await provider.versions()).at(-1)
  check(last !== undefined, 'a new provider has a version')
  return last
}
