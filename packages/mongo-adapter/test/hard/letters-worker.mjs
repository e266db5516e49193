// A process that re-encrypts one person's letters, and may be killed at a command of its own; or one that goes on writing them meanwhile.
import { inspect } from 'node:util'

import { openLetters } from './letters.mjs'

const WHOSE = { tenant: 'acme', subject: 'ada' }

const tasks = {
  /** @param killAt - `{ event, count }`: the process dies when the driver says that for the count-th time of an update */
  async reencrypt({ where, killAt }) {
    let updates = 0
    const { vault, letters } = await openLetters(where, (client) => {
      client.monitorCommands = true
      client.on(killAt?.event ?? 'commandStarted', ({ commandName }) => {
        if (commandName === 'update' && ++updates === killAt?.count) process.kill(process.pid, 'SIGKILL')
      })
    })
    process.send({ ready: true })
    const met = []
    for await (const progress of letters.reencrypt(WHOSE)) met.push(progress)
    await vault.close()
    process.send({ done: met })
  },

  /** Says every change that comes, with its token, until it is killed. */
  async watch({ where, after }) {
    const { letters } = await openLetters(where)
    const changes = letters.watch([], {
      fullDocument: 'updateLookup',
      maxAwaitTimeMS: 50,
      ...(after === undefined ? {} : { resumeAfter: after }),
    })
    await changes.tryNext().then((first) => first && tell(first))
    process.send({ ready: true, token: changes.resumeToken })
    for await (const change of changes) tell(change)

    function tell({ _id, operationType, documentKey, fullDocument, updateDescription }) {
      const title = operationType === 'update' ? updateDescription.updatedFields.title : fullDocument?.title
      const said = { token: _id, operation: operationType, id: documentKey._id, title: title === undefined ? undefined : String(title) }
      process.send({ change: said })
    }
  },

  /** Goes on writing some letters until it is told to stop, and then says what it has written. */
  async edit({ where, ids, name }) {
    const { vault, letters } = await openLetters(where)
    const written = new Map(ids.map((id) => [id, { title: undefined, pages: [] }]))
    const stop = new AbortController()
    process.once('message', () => stop.abort())
    process.send({ ready: true })
    let count = 0
    while (!stop.signal.aborted) {
      const id = ids[(count * 7) % ids.length]
      const filter = { _id: id, orgId: 'acme', who: 'ada' }
      const now = written.get(id)
      const value = `${name} ${++count}`
      if (count % 3 === 0) {
        await letters.updateOne(filter, { $push: { pages: { $each: [value], $position: 0 } } })
        now.pages.unshift(value)
      } else {
        await letters.updateOne(filter, { $set: { title: value } })
        now.title = value
      }
    }
    await vault.close()
    process.send({ done: [...written] })
  },
}

process.once('message', ({ task, ...argument }) => {
  tasks[task](argument).then(
    () => process.disconnect(),
    (error) => process.send({ failed: inspect(error) }),
  )
})
