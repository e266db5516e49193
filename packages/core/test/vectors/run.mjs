// Prints what the suite counted, as one line of JSON. Which backend: node --conditions=strongroom-portable, or without.
import { runKnownAnswers, runVectors } from './suite.mjs'

console.log(JSON.stringify({ knownAnswers: runKnownAnswers(), vectors: runVectors() ?? null }))
