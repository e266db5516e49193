// A second process. node worker.mjs <what> <file> [count]
import { setTimeout as delay } from 'node:timers/promises'

import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'

const [what, file, count] = process.argv.slice(2)
const rawKey = new Uint8Array(32).fill(7)
const send = (message) => new Promise((resolve) => process.send(message, resolve))
const open = () => localKeyProvider({ file, rawKey, copiesLife: 0 })

const tasks = {
  // Makes and destroys versions until it is killed. Says so after the first.
  async churn() {
    const provider = await open()
    for (let round = 0; ; round++) {
      const versions = await provider.versions()
      await provider.createVersion(versions.at(-1).number + 1)
      if (round === 0) await send('at work')
      await provider.destroyVersion(versions.findLast(({ state }) => state === 'live').number)
    }
  },

  // Makes `count` versions, each with the next free number, against others that do the same.
  async next() {
    const provider = await open()
    const numbers = []
    while (numbers.length < Number(count)) {
      try {
        const { number } = await provider.createVersion((await provider.versions()).at(-1).number + 1)
        numbers.push(number)
      } catch (error) {
        if (error.code !== 'conflict') throw error
        await delay(Math.random() * 20)
      }
    }
    await send(numbers)
  },

  // Rotates: makes version 2, destroys version 1.
  async rotate() {
    const provider = await open()
    await provider.createVersion(2)
    await send(await provider.destroyVersion(1))
  },

  // Makes the file, when told to.
  async create() {
    await send('ready')
    await new Promise((resolve) => process.once('message', resolve))
    await send(
      await createLocalKeyFile({ file, rawKey, region: `made-by-${process.pid}` }).then(
        () => 'made',
        (error) => error.code,
      ),
    )
  },
}

await tasks[what]()
process.disconnect()
