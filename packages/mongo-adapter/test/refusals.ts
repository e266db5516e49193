// What the tests of the adapter share.
import { StrongroomError } from '@strongroom/core'

/** `'done'`, or the code with which a call was refused. Anything thrown that is not ours fails the test. */
export async function outcome(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'done'
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw new Error('threw something that is not ours', { cause: error })
    return error.code
  }
}

/** The error that a call is refused with. */
export async function refusalOf(call: () => unknown): Promise<StrongroomError> {
  try {
    await call()
  } catch (error) {
    if (error instanceof StrongroomError) return error
    throw new Error('threw something that is not ours', { cause: error })
  }
  throw new Error('was not refused')
}
