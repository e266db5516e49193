#!/usr/bin/env node
/** The command `strongroom`. */

import { run } from './run.ts'
import { thisProcess } from './system.ts'

const system = thisProcess()
// A store or a provider of the configuration may hold the process open; whatever had to be written is written by now.
system.exit(await run(system))
