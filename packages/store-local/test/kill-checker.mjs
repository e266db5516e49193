// Opens stores whose writers were killed, and answers with all that is in them as one line of JSON. Once no writer
// lives any more (`quiet`), it first compares every list with the records and entries themselves.
// Started as: node kill-checker.mjs <directory> <quiet | busy> <name of a writer> …
import assert from 'node:assert/strict'

import { localStores } from '@strongroom/store-local'

const PAGE = 1000
const [directory, mood, ...names] = process.argv.slice(2)
const { keyStore, stateStore, close } = localStores({ directory })

const nodes = await allNodes({})
const entries = await allEntries()
if (mood === 'quiet') {
  await checkLists()
  await checkDue()
}
await close()

process.stdout.write(
  JSON.stringify({
    nodes: nodes.map(({ ref, revision }) => [hex(ref), revision]),
    entries: entries.map(({ key, version, value }) => [key, version, value.length]),
  }),
)

async function checkLists() {
  for (const tenantRef of [undefined, ...refs('tenantRef')]) {
    for (const parentRef of [undefined, ...refs('parentRef')]) {
      const belonging = nodes.filter(
        (node) => [undefined, hex(node.tenantRef)].includes(tenantRef) && [undefined, hex(node.parentRef)].includes(parentRef),
      )
      const listed = await allNodes({
        ...(tenantRef && { tenantRef: bytes(tenantRef) }),
        ...(parentRef && { parentRef: bytes(parentRef) }),
      })
      assert.deepEqual(listed, tenantRef || parentRef ? belonging : nodes, 'a list holds what belongs to it, and nothing else')
    }
  }
  assert.deepEqual(await keyStore.get(nodes.map(({ ref }) => ({ type: 'node', ref }))), nodes, 'a listed record is the record')
}

// The writer gives an instant to each first write (100 bytes), and to each even second one.
async function checkDue() {
  const due = []
  for (const name of names) due.push(...(await stateStore.due(name, Number.MAX_SAFE_INTEGER, 10_000)))
  const expected = entries.filter(({ key, value }) => value.length === 100 || Number(key.split('-').at(-1)) % 2 === 0)
  const byKey = (a, b) => (a.key < b.key ? -1 : 1)
  const withoutInstant = due.map(({ key, value, version }) => ({ key, value, version }))
  assert.deepEqual(withoutInstant.sort(byKey), expected.sort(byKey), 'what is due is what was written with an instant')
}

async function allNodes(query) {
  const all = []
  for (
    let page, after;
    (page = await keyStore.scan({ type: 'node', ...query, ...after, limit: PAGE })).length > 0;
    after = { after: page.at(-1).ref }
  ) {
    all.push(...page)
  }
  return all
}

async function allEntries() {
  const all = []
  for (const name of names) {
    for (
      let page, after;
      (page = await stateStore.scan(name, '', { ...after, limit: PAGE })).length > 0;
      after = { after: page.at(-1).key }
    ) {
      all.push(...page)
    }
  }
  return all
}

function refs(field) {
  return [...new Set(nodes.map((node) => hex(node[field])))]
}

function hex(value) {
  return Buffer.from(value).toString('hex')
}

function bytes(text) {
  return Buffer.from(text, 'hex')
}
