// Wrong arguments: named, without their value, before any store, provider or key is asked.
import { CanonicalScalar, encryptedToText, field, initVault, openVault, StrongroomError, type VaultOptions } from '@strongroom/core'
import { inspect } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { alice, email, type Ground, openGround } from './support.ts'

const MARK = 'MARK-4711'

let made: Awaited<ReturnType<typeof openGround>>
let stored: Uint8Array

beforeAll(async () => {
  made = await openGround()
  stored = await alice(made.vault).encrypt(email, 'ada')
})

const calls = ({ keyStore, stateStore, provider }: Ground): unknown =>
  structuredClone({ key: keyStore.calls, state: stateStore.calls, provider: provider.calls })

/** That a call names the argument at fault, does not print the value, and asks nothing of anyone. */
async function expectArgument(call: () => unknown, argument: string): Promise<void> {
  const before = calls(made)
  let thrown: unknown
  try {
    await call()
  } catch (error) {
    thrown = error
  }
  if (!(thrown instanceof StrongroomError)) throw new Error(`expected invalid_argument naming ${argument}`, { cause: thrown })
  expect([thrown.code, thrown.argument]).toEqual(['invalid_argument', argument])
  expect(`${thrown.message}\n${inspect(thrown)}\n${inspect(thrown.cause)}\n${JSON.stringify(thrown)}`).not.toContain(MARK)
  expect(calls(made)).toEqual(before)
}

/** The keys of one by `unlockMany`, which gives an error back and does not throw it. */
async function unlockOne(name: string): Promise<void> {
  const [keys] = await made.vault.tenant('acme').unlockMany([name])
  if (keys instanceof StrongroomError) throw keys
}

const throwing = (): never => {
  throw new Error(MARK)
}
/** Whatever is asked of it, it throws. */
const HOSTILE: object = new Proxy(
  {},
  { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing, getOwnPropertyDescriptor: throwing },
)
const HUGE = 'x'.repeat(2 ** 29 - 25)

type Row = readonly [what: string, value: unknown]
const named = (...values: readonly unknown[]): Row[] =>
  values.map((value) => [
    typeof value === 'string'
      ? `text of ${value.length}`
      : value === HOSTILE
        ? 'a proxy that throws'
        : inspect(value, { depth: 0 }).slice(0, 60),
    value,
  ])

const NO_NAMES = named(
  undefined,
  null,
  '',
  0,
  5,
  Number.NaN,
  true,
  5n,
  Symbol('x'),
  {},
  [],
  ['alice'],
  () => 'alice',
  new String('alice'),
  Buffer.from('alice'),
  HOSTILE,
  '\ud800',
  `${MARK}\udfff`,
  'x'.repeat(513),
  'é'.repeat(257),
  HUGE,
)

describe('names', () => {
  const CALLS: readonly [string, string, (name: never) => unknown, ((name: string) => unknown) | undefined][] = [
    ['vault.tenant', 'tenant', (name) => made.vault.tenant(name), (name) => made.vault.tenant(name)],
    ['tenant.subject', 'subject', (name) => made.vault.tenant('acme').subject(name), (name) => made.vault.tenant('acme').subject(name)],
    ['tenant.unlockMany', 'subject', (name) => unlockOne(name), (name) => unlockOne(name)],
    ['subject.item', 'item', (name) => alice(made.vault).item(name), (name) => alice(made.vault).item(name)],
    ['tenants.create', 'tenant', (name) => made.vault.tenants.create(name), undefined],
    ['tenants.get', 'tenant', (name) => made.vault.tenants.get(name), (name) => made.vault.tenants.get(name)],
    ['tenants.suspend', 'tenant', async (name) => made.vault.tenants.suspend(name), undefined],
    ['tenants.resume', 'tenant', async (name) => made.vault.tenants.resume(name), undefined],
  ]

  describe.each(CALLS)('%s', (_, argument, call, good) => {
    test.each(NO_NAMES)('%s', async (__, name) => {
      await expectArgument(() => call(name as never), argument)
    })

    test('names at the edge are names', async () => {
      for (const name of ['x', ' ', '\u0000', '__proto__', 'constructor', 'é'.repeat(256), 'x'.repeat(512), '😀']) await good?.(name)
    })
  })

  test('names that look alike are not the same person', async () => {
    const names = ['a', 'A', 'a ', '\u00e9', 'e\u0301', '__proto__', 'toString', 'a\u0000', '1', '01']
    const values = await Promise.all(names.map((name) => made.vault.tenant('acme').subject(name).encrypt(email, name)))
    for (const [i, name] of names.entries()) {
      for (const [j, value] of values.entries()) {
        const read = await made.vault
          .tenant('acme')
          .subject(name)
          .decrypt(email, value)
          .catch((error: StrongroomError) => error.code)
        expect(read).toBe(i === j ? name : 'decrypt_failed')
      }
    }
  })
})

describe('encrypt, decrypt, unlock, shred', () => {
  const noFields = named(
    undefined,
    null,
    {},
    'email',
    5,
    [],
    { context: 'users', name: 'email' },
    HOSTILE,
    new Proxy(email, {}),
    Object.create(Object.getPrototypeOf(email) as object),
    () => email,
  )

  test.each(noFields)('a field that is none: %s', async (_, bad) => {
    await expectArgument(() => alice(made.vault).encrypt(bad as never, 'x'), 'field')
    await expectArgument(() => alice(made.vault).decrypt(bad as never, stored), 'field')
    expect(await alice(made.vault).decrypt(email, stored)).toBe('ada')
  })

  const anything = field('users', 'anything', z.any())
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const noValues = named(
    undefined,
    null,
    Symbol('x'),
    () => 1,
    HOSTILE,
    '\ud800',
    { text: '\udc00' },
    { ['__proto__']: 1, ok: undefined },
    JSON.parse('{"__proto__":1}'),
    new Map(),
    new (class Custom extends Map {})(),
    { a: Number.NaN },
    { a: 1n },
    { a: new Date() },
    [undefined],
    cyclic,
    {
      get a() {
        return throwing()
      },
    },
    new Date(Number.NaN),
    2n ** 63n,
    -(2n ** 63n) - 1n,
    HUGE,
    'x'.repeat(16 * 1024 * 1024),
    new Uint8Array(16 * 1024 * 1024),
    [HUGE.slice(0, 17 * 1024 * 1024)],
    { [Symbol.toStringTag]: 'x' },
    new Int8Array(1),
    new DataView(new ArrayBuffer(1)),
    new Proxy(new Date(0), {}),
  )

  test.each(noValues)('a value that cannot be stored: %s', async (_, bad) => {
    await expectArgument(() => alice(made.vault).encrypt(anything, bad), 'value')
    const keys = await alice(made.vault).unlock()
    await expectArgument(() => keys.encrypt(anything, bad), 'value')
  })

  test.each(
    named(null, '', '__proto__', [], {}, 0, -0, false, Object.create(null) as object, new Uint8Array(0)).filter(
      ([, value]) => value !== null,
    ),
  )('a value that can: %s', async (_, value) => {
    await alice(made.vault).encrypt(anything, value)
  })

  test.each(
    named(
      5,
      true,
      null,
      Symbol('x'),
      {},
      [],
      new Date(Number.NaN),
      2n ** 63n,
      '\ud800',
      'x'.repeat(65_537),
      HUGE,
      new Uint8Array(65_537),
      new Map(),
      HOSTILE,
      new Int8Array(1),
      () => 5,
      new Proxy(new Date(0), {}),
      new CanonicalScalar('5' as never),
      new CanonicalScalar(undefined as never),
      new CanonicalScalar(HOSTILE as never),
    ).filter(([, value]) => value !== 5 && value !== true),
  )('a record that is none: %s', async (_, record) => {
    const options = { record: record as never }
    await expectArgument(() => alice(made.vault).encrypt(email, 'x', options), 'record')
    await expectArgument(() => alice(made.vault).decrypt(email, stored, options), 'record')
    const keys = await alice(made.vault).unlock()
    await expectArgument(() => keys.encrypt(email, 'x', options), 'record')
    await expectArgument(() => keys.decrypt(email, stored, options), 'record')
    keys.encrypt(email, 'x', { record: 5 })
  })

  test.each(
    named(
      undefined,
      null,
      5,
      {},
      [],
      true,
      new ArrayBuffer(60),
      new DataView(new ArrayBuffer(60)),
      new Uint16Array(30),
      HOSTILE,
      new Proxy(new Uint8Array(60), {}),
    ),
  )('stored bytes that are none: %s', async (_, bad) => {
    await expectArgument(() => alice(made.vault).decrypt(email, bad as never), 'stored')
    expect(await alice(made.vault).decrypt(email, stored)).toBe('ada')
  })

  const noOptions = named(null, 5, 'record', true, Symbol('x'), () => ({}))

  test.each(noOptions)('options that are none: %s', async (_, bad) => {
    const her = alice(made.vault)
    for (const call of [
      () => her.encrypt(email, 'x', bad as never),
      () => her.decrypt(email, stored, bad as never),
      () => her.unlock(bad as never),
      () => made.vault.tenant('acme').unlockMany(['alice'], bad as never),
      () => her.shred(bad as never),
      () => her.item('x').shred(bad as never),
      () => made.vault.tenant('acme').shred(bad as never),
      () => made.vault.tenants.create('new', bad as never),
    ]) {
      await expectArgument(call, 'options')
    }
    await her.encrypt(email, 'x', {})
    await her.encrypt(email, 'x', Object.create(null) as object)
  })

  test('options whose getters throw', async () => {
    const her = alice(made.vault)
    for (const bad of [
      HOSTILE,
      {
        get record() {
          return throwing()
        },
        get readOnly() {
          return throwing()
        },
        get reason() {
          return throwing()
        },
        get region() {
          return throwing()
        },
      },
    ]) {
      await expectArgument(() => her.encrypt(email, 'x', bad as never), 'record')
      await expectArgument(() => her.decrypt(email, stored, bad as never), 'record')
      await expectArgument(() => her.unlock(bad as never), 'readOnly')
      await expectArgument(() => made.vault.tenant('acme').unlockMany(['alice'], bad as never), 'readOnly')
      await expectArgument(() => her.shred(bad as never), 'reason')
      await expectArgument(() => made.vault.tenants.create('new', bad as never), 'region')
    }
  })

  // A misspelt record would bind nothing, a misspelt readOnly would make keys.
  test.each([
    ['encrypt', () => alice(made.vault).encrypt(email, 'x', { recrod: 5 } as never)],
    ['decrypt', () => alice(made.vault).decrypt(email, stored, { Record: 5 } as never)],
    ['unlock', () => alice(made.vault).unlock({ readonly: true } as never)],
    ['unlockMany', () => made.vault.tenant('acme').unlockMany(['alice'], { readonly: true } as never)],
    [
      'shred',
      () =>
        alice(made.vault)
          .item('spelling')
          .shred({ why: 'operator' } as never),
    ],
    ['tenants.create', () => made.vault.tenants.create('spelling', { Region: 'eu' } as never)],
  ])('an option that %s does not know', async (_, call) => {
    await expectArgument(call, 'options')
  })

  test.each(named(1, 'true', null, 'yes', {}))('a readOnly that is no boolean: %s', async (_, readOnly) => {
    await expectArgument(() => alice(made.vault).unlock({ readOnly: readOnly as never }), 'readOnly')
    await expectArgument(() => made.vault.tenant('acme').unlockMany(['alice'], { readOnly: readOnly as never }), 'readOnly')
  })

  test.each(named(undefined, null, 'alice', 5, {}, new Set(['alice']), () => ['alice'], HOSTILE, new Proxy(['alice'], { get: throwing })))(
    'a list of names that is none: %s',
    async (_, subjects) => {
      await expectArgument(() => made.vault.tenant('acme').unlockMany(subjects as never), 'subjects')
    },
  )

  test.each(
    named('', 'because', '__proto__', 'constructor', 'toString', 0, 1, null, [], {}, ['operator'], HOSTILE).filter(
      ([, value]) => value !== null,
    ),
  )('a reason that is none: %s', async (_, reason) => {
    for (const call of [
      () => alice(made.vault).shred({ reason: reason as never }),
      () => made.vault.tenant('acme').shred({ reason: reason as never }),
    ])
      await expectArgument(call, 'reason')
  })

  test.each(named(5, '', {}, [], true, HOSTILE).filter(([, value]) => value !== ''))('a region that is none: %s', async (_, region) => {
    await expectArgument(() => made.vault.tenants.create('new', { region: region as never }), 'region')
  })

  test('the text form of what is no value', async () => {
    for (const bad of [undefined, null, 5, 'text', {}, [], HOSTILE]) await expectArgument(() => encryptedToText(bad as never), 'value')
    expect(encryptedToText(stored)).toMatch(/^sr1\./)
  })
})

describe('field', () => {
  const schema = z.string()

  test.each(named(undefined, null, '', 5, {}, [], HOSTILE, '\ud800', 'x'.repeat(257), 'é'.repeat(129), HUGE))(
    'a context or name that is none: %s',
    async (_, bad) => {
      await expectArgument(() => field(bad as never, 'email', schema), 'context')
      await expectArgument(() => field('users', bad as never, schema), 'name')
      await expectArgument(() => field('users', 'email', schema, { previous: [{ context: bad as never, field: 'x' }] }), 'previous.context')
      await expectArgument(() => field('users', 'email', schema, { previous: [{ context: 'x', field: bad as never }] }), 'previous.field')
      field('x'.repeat(256), '__proto__', schema)
    },
  )

  test.each(named(undefined, null, 5, 'string', {}, [], () => schema, { safeParse: 5 }, { parse: () => 1 }, HOSTILE))(
    'a schema that is none: %s',
    async (_, bad) => {
      await expectArgument(() => field('users', 'email', bad as never), 'schema')
    },
  )

  test.each(named(null, 5, 'x', true))('options that are none: %s', async (_, bad) => {
    await expectArgument(() => field('users', 'email', schema, bad as never), 'options')
    field('users', 'email', schema, {})
  })

  test.each([
    ['previous', 'a number', { previous: 5 }],
    ['previous', 'a text', { previous: 'users.email' }],
    ['previous', 'holding nothing', { previous: [null] }],
    ['previous', 'holding a text', { previous: ['users.email'] }],
    [
      'previous',
      'throwing',
      {
        get previous() {
          return throwing()
        },
      },
    ],
    ['padded', 'a text', { padded: 'yes' }],
    ['padded', 'a number', { padded: 1 }],
    ['codec', 'no codec', { codec: {} }],
    ['codec', 'null', { codec: null }],
    ['codec', 'half a codec', { codec: { encode: () => 1 } }],
    ['codec', 'strings of nobody', { codec: { encode: () => 1, decode: () => 1, strings: 'mine' } }],
    ['options', 'a proxy that throws', HOSTILE],
    ['options', 'an option that there is not', { pad: true }],
  ])('%s: %s', async (argument, _, options) => {
    let thrown: unknown
    try {
      field('users', 'email', schema, options as never)
    } catch (error) {
      thrown = error
    }
    if (!(thrown instanceof StrongroomError)) throw new Error('expected invalid_argument', { cause: thrown })
    expect(thrown.code).toBe('invalid_argument')
    if (options !== HOSTILE) expect(thrown.argument?.split('.')[0]).toBe(argument)
    expect(inspect(thrown)).not.toContain(MARK)
  })

  test('a schema that throws, waits, or is hostile refuses its values and prints none', async () => {
    const bad = [z.string().refine(() => throwing()), z.string().refine(async () => true), z.string().transform(() => throwing())]
    for (const one of bad) await expectArgument(() => alice(made.vault).encrypt(field('users', 'email', one as never), MARK), 'value')
    const reads = field(
      'users',
      'email',
      z.string().refine(() => throwing()),
    )
    const error = await alice(made.vault)
      .decrypt(reads, stored)
      .catch((thrown: StrongroomError) => thrown)
    expect([(error as StrongroomError).code, inspect(error).includes(MARK)]).toEqual(['schema_mismatch', false])
  })
})

describe('initVault and openVault', () => {
  const change = (changes: object): VaultOptions => ({ ...made.options, ...changes }) as VaultOptions

  const ROWS: readonly [argument: string, what: string, options: () => VaultOptions][] = [
    ...named(undefined, null, 5, 'x', true, Symbol('x')).map(([what, value]): [string, string, () => VaultOptions] => [
      'options',
      what,
      () => value as never,
    ]),
    ...named(undefined, null, 5, 'x', {}, [])
      .map(([what, value]): [string, string, () => VaultOptions] => [
        'keyProviders',
        what,
        () => change({ keyProviders: value, defaultRegion: 'eu' }),
      ])
      .filter(([, what]) => what !== '{}' && what !== '[]'),
    ['keyProviders', 'a region of no name', () => change({ keyProviders: { ...made.options.keyProviders, '': made.provider } })],
    ['keyProviders', 'a region of a strange name', () => change({ keyProviders: { ...made.options.keyProviders, 'e u': made.provider } })],
    [
      'keyProviders',
      'a region of a long name',
      () => change({ keyProviders: { ...made.options.keyProviders, ['x'.repeat(65)]: made.provider } }),
    ],
    ['keyProviders', 'a provider that is none', () => change({ keyProviders: { eu: {} } })],
    ['keyProviders', 'a provider that is null', () => change({ keyProviders: { eu: null } })],
    ['keyProviders', 'a provider that cannot unwrap', () => change({ keyProviders: { eu: { ...made.provider, unwrap: undefined } } })],
    ['keyProviders', 'a proxy that throws', () => change({ keyProviders: HOSTILE })],
    ['keyProviders', 'a provider that throws', () => change({ keyProviders: { eu: HOSTILE } })],
    ['keyProviders', 'a getter that throws', () => Object.defineProperty(change({}), 'keyProviders', { get: throwing })],
    ...named(undefined, null, '', 'us', 5, '__proto__', 'toString', [], HOSTILE).map(
      ([what, value]): [string, string, () => VaultOptions] => ['defaultRegion', what, () => change({ defaultRegion: value })],
    ),
    ...named(undefined, null, 5, {}, { get: () => 1 }, HOSTILE).map(([what, value]): [string, string, () => VaultOptions] => [
      'keyStore',
      what,
      () => change({ keyStore: value }),
    ]),
    ...named(undefined, null, 5, {}, { get: () => 1 }, HOSTILE).map(([what, value]): [string, string, () => VaultOptions] => [
      'stateStore',
      what,
      () => change({ stateStore: value }),
    ]),
    ...named(null, 5, 'x', {}, HOSTILE).map(([what, value]): [string, string, () => VaultOptions] => [
      'onAccess',
      what,
      () => change({ onAccess: value }),
    ]),
    ...named(null, 5, 'x', {}).map(([what, value]): [string, string, () => VaultOptions] => [
      'close',
      what,
      () => change({ close: value }),
    ]),
    ...named(null, 5, 'x', {}, { now: () => 1 }, HOSTILE).map(([what, value]): [string, string, () => VaultOptions] => [
      'clock',
      what,
      () => change({ clock: value }),
    ]),
    ...['cacheBound', 'maxCachedKeys', 'maxCachedTenants', 'providerTimeout'].flatMap((argument) =>
      named(null, 0, -1, 1.5, Number.NaN, Infinity, '1000', 1000n, 2 ** 53, {}, [], true, HOSTILE).map(
        ([what, value]): [string, string, () => VaultOptions] => [argument, what, () => change({ [argument]: value })],
      ),
    ),
    ['cacheBound', 'too short', () => change({ cacheBound: 99 })],
    ['cacheBound', 'too long', () => change({ cacheBound: 3_600_001 })],
    ['options', 'one that there is not', () => change({ cachebound: 1000 })],
  ]

  test.each(ROWS)('%s: %s', async (argument, _, options) => {
    await expectArgument(() => openVault(options()), argument)
    await expectArgument(() => initVault(options()), argument)
  })

  test('unaltered, they open', async () => {
    await (await openVault({ ...made.options, cacheBound: 100, maxCachedKeys: 1, maxCachedTenants: 2, providerTimeout: 600_000 })).close()
    await (await openVault(Object.assign(Object.create(null) as object, made.options) as VaultOptions)).close()
  })
})
