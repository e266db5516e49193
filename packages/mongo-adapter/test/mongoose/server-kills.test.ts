// The server is killed and started again while models are at work: they go on, and what they write is encrypted. More of collections in test/hard.
import { Schema } from 'mongoose'
import { expect, test } from 'vitest'

import { type OwnServer, startServer } from '../../../../tools/mongo-server/server.mjs'
import { openTap, type Tap } from '../proof/tap.ts'
import { hearConnection, TALKATIVE, thrownBy, witness } from './heard.ts'
import { type AnyModel, CANARY, modelOf, uri, world } from './support.ts'

test.skipIf(uri === undefined)('models go on when the server comes back', async () => {
  const it = await world()
  const started = await startServer()
  if (started.uri === undefined) throw new Error(started.description)
  const server: OwnServer = started
  const tap: Tap = await openTap(server.uri)
  const connection = hearConnection(it.base.createConnection())
  try {
    await connection.openUri(tap.uri, {
      ...TALKATIVE,
      dbName: 'strongroom-test',
      heartbeatFrequencyMS: 500,
      serverSelectionTimeoutMS: 60_000,
    })
    const schema = new Schema({
      _id: String,
      orgId: String,
      name: { type: String, encrypted: true },
      tags: [{ type: String, encrypted: true }],
    })
    const people: AnyModel = modelOf(connection, 'Person', it.encrypt(schema))
    await people.create({ _id: 'ada', orgId: 'acme', name: `Ada ${CANARY}` })
    const held = await people.findById('ada').orFail()

    for (const round of [1, 2]) {
      await server.kill()
      held.set('name', `Ada ${round} ${CANARY}`)
      held.get('tags').push(`tag ${round} ${CANARY}`)
      // Sent while there is no server: the driver waits for it, or says that it went away.
      const early = [
        people.find().lean(),
        people.updateOne({ _id: 'ada' }, { name: `late ${CANARY}` }),
        people.create({ _id: `e${round}`, orgId: 'acme', name: CANARY }),
      ]
      const settled = Promise.all(early.map((each) => thrownBy(() => each)))
      await server.start()
      await settled
      await held.save()
      expect(await people.findById('ada').lean()).toMatchObject({ name: `Ada ${round} ${CANARY}` })
    }
    expect(await people.findById('ada').lean()).toMatchObject({ tags: [`tag 1 ${CANARY}`, `tag 2 ${CANARY}`] })
    expect(await people.countDocuments({ name: { $exists: true } })).toBeGreaterThanOrEqual(1)
    const stored = await connection.db?.collection('people').find().toArray()
    expect(JSON.stringify(stored)).not.toContain(CANARY)
    for (const bytes of [...tap.heard().sent, ...tap.heard().received]) witness.bytes('sent', 'a server that dies', bytes)
    expect(witness.heard('driver log')).toBeGreaterThan(0)
  } finally {
    await connection.close()
    await tap.close()
    await server.stop()
  }
})
