// Vitest's global set-up: one server for all test files of a run, told to them by `inject('mongoServer')`.
import { openServer } from './server.mjs'

export default async function setup(project) {
  const { uri, description, stop } = await openServer()
  if (uri === undefined && process.env['CI'] === 'true') throw new Error(`the tests on MongoDB cannot run: ${description}`)
  console.log(uri === undefined ? `${description}; the tests that need one are skipped` : `server for the tests on MongoDB: ${description}`)
  project.provide('mongoServer', { uri, description })
  return stop
}
