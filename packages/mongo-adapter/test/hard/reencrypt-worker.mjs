// A process that re-encrypts one person's letters, and may be killed at a command of its own; or one that goes on writing them meanwhile.
import { inspect } from 'node:util'
import { encryptedCollection, mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { openVault } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { MongoClient } from 'mongodb'

import { Letter, openLetters } from './letters.mjs'
