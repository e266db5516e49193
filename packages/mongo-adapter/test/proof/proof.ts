// A vault whose stores are on the server, an encrypted collection, both behind taps, and a witness of all that goes over them.
import { randomUUID } from 'node:crypto'

import { initVault, openVault, type Vault } from '@strongroom/core'
import { type MemoryKeyProvider, memoryKeyProvider } from '@strongroom/core/testing'
import { type EncryptedCollection, encryptedCollection, mongoKeyStore, mongoStateStore, type Shreddable } from '@strongroom/mongo-adapter'
import { type Collection, type CommandStartedEvent, type Db, type Document, MongoClient } from 'mongodb'

import { uri } from '../support.ts'
import { overhear } from './overhear.ts'
import { ada, bob, eve, Person } from './people.ts'
import { openTap, type Tap } from './tap.ts'
import { type Channel, Witness } from './witness.ts'

export { uri }

export interface Proof {
  readonly witness: Witness
  readonly vault: Vault
  readonly provider: MemoryKeyProvider
  /** The encrypted collection, behind the tap. */
  readonly users: EncryptedCollection<Person, Shreddable<typeof Person>>
  /** A plain collection of the tapped client, for what is planted. */
  readonly plain: Collection<Document & { _id: string }>
  /** What is stored, seen past the tap by a client of its own. */
  readonly stored: Collection<Document & { _id: string }>
  readonly data: Tap
  readonly keys: Tap
  /** The key store's and the state store's database, behind their tap. */
  readonly keyDb: Db
  /** Commands on data that the driver told of since the last `listen`. */
  readonly commands: readonly CommandStartedEvent[]
  /** An empty collection, with three people in it, and nothing heard yet. */
  fresh(): Promise<void>
  /** Forgets what was heard, and what the lines have carried. */
  listen(): void
  /** Brings what went over the lines, what is stored and the oplog to the witness. */
  gather(where: string): Promise<void>
  /** Has the server explain what was last sent to it. */
  explain(): Promise<void>
  /** Everything in the key store and the state store. */
  keyRecords(): Promise<string>
  close(): Promise<void>
}

/** The driver's events are told of whole, and it logs all it can. */
async function tapped(tap: Tap, witness: Witness, channel: Channel, onCommand: (event: CommandStartedEvent) => void): Promise<MongoClient> {
  const client = new MongoClient(tap.uri, {
    monitorCommands: true,
    // A greeting in between would be heard as well, and says nothing.
    heartbeatFrequencyMS: 600_000,
    mongodbLogPath: { write: (log) => witness.object('driver log', log.c, log) },
    mongodbLogComponentSeverities: { default: 'trace' },
    mongodbLogMaxDocumentLength: 1_000_000,
  })
  client.on('commandStarted', (event) => {
    onCommand(event)
    witness.object(channel, event.commandName, event.command)
  })
  client.on('commandSucceeded', ({ commandName, reply }) => witness.object(channel, `answer to ${commandName}`, reply))
  client.on('commandFailed', ({ commandName, failure }) => witness.object(channel, `failure of ${commandName}`, failure))
  return client.connect()
}

/** @param cacheBound - of the vault: what a rotation of a key waits for */
export async function openProof({ cacheBound }: { readonly cacheBound?: number } = {}): Promise<Proof> {
  const witness = new Witness()
  const [data, keys] = [await openTap(uri as string), await openTap(uri as string)]
  const commands: CommandStartedEvent[] = []
  const dataClient = await tapped(data, witness, 'command', (event) => void commands.push(event))
  const keyClient = await tapped(keys, witness, 'command of the stores', () => undefined)
  const direct = await new MongoClient(uri as string).connect()
  const [dataName, keyName] = [`strongroom-test-${randomUUID()}`, `strongroom-test-${randomUUID()}`]
  const keyDb = keyClient.db(keyName)
  const provider = memoryKeyProvider()
  const options = {
    keyProviders: { eu: provider },
    defaultRegion: 'eu',
    keyStore: mongoKeyStore({ db: keyDb }),
    stateStore: mongoStateStore({ db: keyDb }),
  }
  await initVault({ ...options, ...(cacheBound === undefined ? {} : { cacheBound }) })
  const vault = await openVault(options)
  await vault.tenants.create('acme')
  await vault.tenants.create('rival')
  const end = overhear(witness)

  let number = 0
  let people = 'people'
  let users = open()
  function open(): EncryptedCollection<Person, Shreddable<typeof Person>> {
    return encryptedCollection(vault, dataClient.db(dataName).collection(people), {
      schema: Person,
      tenant: 'orgId',
      subject: '_id',
      context: 'people',
    }) as unknown as EncryptedCollection<Person, Shreddable<typeof Person>> // what does not compile is asked for as well
  }

  // Of all collections, as the bytes that the server has.
  async function documentsOf(db: Db): Promise<readonly Buffer[]> {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map((each) => each.name)
    const all = await Promise.all(names.map((each) => db.collection(each).find({}, { raw: true }).toArray()))
    return all.flat() as unknown as readonly Buffer[]
  }

  function listen(): void {
    witness.forget()
    data.clear()
    keys.clear()
    commands.length = 0
  }

  return {
    witness,
    vault,
    provider,
    data,
    keys,
    keyDb,
    commands,
    get users() {
      return users
    },
    get plain() {
      return dataClient.db(dataName).collection<Document & { _id: string }>('plain')
    },
    get stored() {
      return direct.db(dataName).collection<Document & { _id: string }>(people)
    },
    async fresh() {
      await direct.db(dataName).dropDatabase()
      people = `people${++number}`
      users = open()
      await users.createIndexes()
      await users.insertMany([ada, bob, eve])
      listen()
    },
    listen,
    async gather(where) {
      for (const [tap, sent, received] of [
        [data, 'sent', 'received'],
        [keys, 'sent by the stores', 'received by the stores'],
      ] as const) {
        const heard = tap.heard()
        for (const bytes of heard.sent) witness.bytes(sent, where, bytes)
        for (const bytes of heard.received) witness.bytes(received, where, bytes)
      }
      for (const bytes of await documentsOf(direct.db(dataName))) witness.bytes('stored', where, bytes)
      for (const bytes of await documentsOf(direct.db(keyName))) witness.bytes('stored by the stores', where, bytes)
      const ours = { ns: { $in: [`${dataName}.${people}`, `${dataName}.plain`, `${dataName}.$cmd`] } }
      const oplog = direct.db('local').collection('oplog.rs').find(ours, { raw: true })
      for (const bytes of (await oplog.toArray()) as unknown as readonly Buffer[]) witness.bytes('oplog', where, bytes)
    },
    async explain() {
      const last = commands.findLast(({ commandName }) =>
        ['find', 'aggregate', 'count', 'distinct', 'update', 'delete', 'findAndModify'].includes(commandName),
      )
      if (last === undefined) throw new Error('nothing was sent that can be explained')
      // What the driver adds to a command is none of the command that is explained.
      const added = ['lsid', 'txnNumber', '$db', '$clusterTime', '$readPreference']
      const command = Object.fromEntries(Object.entries(last.command as Document).filter(([member]) => !added.includes(member)))
      const explained = await direct.db(dataName).command({ explain: command, verbosity: 'queryPlanner' })
      witness.object('explain', last.commandName, explained)
    },
    keyRecords: async () =>
      (await documentsOf(direct.db(keyName)))
        .map((bytes) => bytes.toString('base64'))
        .sort()
        .join('\n'),
    async close() {
      end()
      await vault.close()
      await Promise.all([direct.db(dataName).dropDatabase(), direct.db(keyName).dropDatabase()])
      await Promise.all([dataClient, keyClient, direct].map((client) => client.close()))
      await Promise.all([data.close(), keys.close()])
    },
  }
}
