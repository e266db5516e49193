// The commands of the README, as they are written there: but for the server, its port and the invitation.
import { MongoClient } from 'mongodb'
import { expect, inject, onTestFinished, test } from 'vitest'

import { commandsOf, runCommands, startByReadme } from '../../../tools/services/readme-commands.mjs'

const example = new URL('..', import.meta.url)
const { uri = '' } = inject('mongoServer')

const onServer = test.skipIf(uri === '')

onServer.each(['', ' --mongoose'])('from an empty folder to the first account%s', async (option) => {
  const [, start = '', signUp = ''] = commandsOf(example, { '.js': `.js${option}` })
  const ready = /^listening on .*$/m
  const service = await startByReadme({ example, start, uri, ready, client: new MongoClient(uri), environment: { PORT: '0' } })
  onTestFinished(() => service.stop())
  const [, invitation = '', address = ''] = /^ready; .*\n(\S+)\nlistening on http:\/\/(\S+)\n/.exec(service.printed) ?? []

  const command = signUp.replace('localhost:8080', address).replace('"…"', JSON.stringify(invitation))
  expect(JSON.parse(runCommands(command))).toEqual({ id: expect.any(String) })
})
