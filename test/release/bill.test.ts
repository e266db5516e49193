// Bills of materials: what a package brings on other platforms than the builder's, and its peers.
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

interface Component {
  readonly group?: string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly 'bom-ref': string
  readonly scope?: string
  readonly licenses?: readonly unknown[]
  readonly externalReferences?: readonly unknown[]
}

interface Bill {
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

type CompleteBill = (
  bill: Bill,
  more: {
    readonly known: ReadonlyMap<string, Component>
    readonly peers: readonly Component[]
    optionalOf(component: Component): Readonly<Record<string, string>>
  },
) => Bill

const { completeBill } = (await import(fileURLToPath(new URL('../../tools/release/bill.mjs', import.meta.url)))) as {
  readonly completeBill: CompleteBill
}

function component(name: string, more: Partial<Component> = {}): Component {
  const [own = '', group] = name.split('/').toReversed()
  const purl = `pkg:npm/${name.replace('@', '%40')}@1.0.0`
  return { ...(group === undefined ? {} : { group }), name: own, version: '1.0.0', purl, 'bom-ref': purl, ...more }
}

const OURS = component('@strongroom/ours')
const STORE = component('store', { licenses: ['MIT'] })
const LINUX = component('@store/linux', { licenses: ['MIT'] })
const MAC = component('@store/mac', { externalReferences: ['its hash'] })
const BILL: Bill = {
  metadata: { component: OURS },
  components: [STORE, LINUX],
  dependencies: [
    { ref: OURS.purl, dependsOn: [STORE.purl] },
    { ref: STORE.purl, dependsOn: [LINUX.purl] },
    { ref: LINUX.purl, dependsOn: [] },
  ],
}
const PLATFORMS = { '@store/linux': '^1.0.0', '@store/mac': '1.0.0', '@store/windows': '1.0.0' }

test('every platform of a dependency, with its hash where the lockfile has one; peers in their scope; and who needs them', () => {
  const peer = component('zod', { scope: 'required' })
  const { components, dependencies } = completeBill(BILL, {
    known: new Map([[MAC.purl, MAC]]),
    peers: [peer],
    optionalOf: ({ name }) => (name === 'store' ? PLATFORMS : {}),
  })
  const windows = { type: 'library', ...component('@store/windows') }
  const optional = [LINUX, MAC, windows].map((each) => ({ ...each, scope: 'optional' }))
  expect(components).toEqual([STORE, ...optional, peer])
  expect(dependencies).toEqual([
    { ref: OURS.purl, dependsOn: [STORE.purl, peer.purl] },
    { ref: STORE.purl, dependsOn: [LINUX.purl, MAC.purl, windows.purl] },
    ...[LINUX, MAC, windows, peer].map(({ purl }) => ({ ref: purl, dependsOn: [] })),
  ])
})

test('refused: what is not installed, and of no exact version', () => {
  const optionalOf = ({ name }: Component): Readonly<Record<string, string>> => (name === 'store' ? { '@store/mac': '^1.0.0' } : {})
  expect(() => completeBill(BILL, { known: new Map(), peers: [], optionalOf })).toThrow(
    '@store/mac is not installed, and ^1.0.0 is no exact version',
  )
})
