// The commands of the README, as they are written there: but for the server, the ports, and what one command prints for the next.
import { MongoClient } from 'mongodb'
import { expect, inject, onTestFinished, test } from 'vitest'

import { commandsOf, freePort, runCommands, startByReadme } from '../../../tools/services/readme-commands.mjs'
import { visit } from '../crm/customer.mjs'

const example = new URL('..', import.meta.url)
const { uri = '' } = inject('mongoServer')

test.skipIf(uri === '')('from an empty folder to a connection and its end', async () => {
  const [ours, theirs] = [await freePort(), await freePort()]
  const [, start = '', begin = '', use = ''] = commandsOf(example, { 8080: String(ours), 9090: String(theirs) })
  const ready = new RegExp(`listening on http://127.0.0.1:${ours}\n`)
  const service = await startByReadme({ example, start, uri, ready, client: new MongoClient(uri) })
  onTestFinished(() => service.stop())
  const [accessKey = ''] = /^[0-9a-f-]{36}\.\S{43}$/m.exec(service.printed) ?? []

  const key = `ACCESS_KEY='${accessKey}'\n`
  const { url } = JSON.parse(runCommands(begin.replace("ACCESS_KEY='…'\n", key))) as { url: string }
  const answers = runCommands(key + use.replace('…', await visit(url)).replaceAll('# ', '; echo # '))
    .trim()
    .split('\n')
  expect(answers.map((answer) => JSON.parse(answer) as unknown)).toEqual([
    { connected: expect.objectContaining({ name: 'crm', state: 'live' }) },
    { contacts: 3 },
    { revocation: 'revoked' },
  ])
})
