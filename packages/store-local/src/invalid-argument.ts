import { StrongroomError } from '@strongroom/core'

/** An `invalid_argument` error that names the argument and says what it must be. Never pass the value. */
export function invalidArgument(argument: string, mustBe: string): StrongroomError {
  return new StrongroomError('invalid_argument', `${argument} ${mustBe}`, { argument })
}
