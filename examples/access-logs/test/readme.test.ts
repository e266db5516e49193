// The commands of the README, as they are written there: but for the server and the port.
import { MongoClient } from 'mongodb'
import { expect, inject, onTestFinished, test } from 'vitest'

import { commandsOf, freePort, runCommands, startByReadme } from '../../../tools/services/readme-commands.mjs'

const example = new URL('..', import.meta.url)
const { uri = '' } = inject('mongoServer')

test.skipIf(uri === '')('from an empty folder to the report', async () => {
  const port = await freePort()
  const [, start = '', use = ''] = commandsOf(example, { 8080: String(port) })
  const ready = new RegExp(`listening on http://127.0.0.1:${port}\n`)
  const service = await startByReadme({ example, start, uri, ready, client: new MongoClient(uri) })
  onTestFinished(() => service.stop())
  const printed = runCommands(use)
  expect(printed).toContain('<dt>requests</dt><dd>2</dd>')
  expect(printed).toContain('<dt>objections</dt><dd>1</dd>')
})
