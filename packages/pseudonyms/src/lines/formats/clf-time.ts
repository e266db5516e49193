/** The time of the common log format: `10/Oct/2000:13:55:36 -0700`. */

import { COLON, IS_DIGIT, SLASH, SPACE, ZERO } from '../bytes.ts'

/** Bytes of such a time. */
export const CLF_TIME_BYTES = 26

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const DIGITS_AT = [0, 1, 7, 8, 9, 10, 12, 13, 15, 16, 18, 19, 22, 23, 24, 25]
const [PLUS, MINUS] = [0x2b, 0x2d]
const MINUTE = 60_000

/** Reads times, of which one is often that of the line before. */
export class ClfTimes {
  readonly #last: Buffer = Buffer.alloc(CLF_TIME_BYTES)
  #instant: number | undefined

  /** @returns UTC milliseconds; `undefined` where no such time stands at that place */
  read(bytes: Buffer, at: number, to: number): number | undefined {
    if (at + CLF_TIME_BYTES > to) return undefined
    for (let i = CLF_TIME_BYTES - 1; i >= 0; i--)
      if (bytes[at + i] !== this.#last[i]) {
        bytes.copy(this.#last, 0, at, at + CLF_TIME_BYTES)
        this.#instant = parse(this.#last)
        break
      }
    return this.#instant
  }
}

function parse(time: Buffer): number | undefined {
  if (!DIGITS_AT.every((i) => IS_DIGIT[time[i] as number] === 1)) return undefined
  if (time[2] !== SLASH || time[6] !== SLASH || time[20] !== SPACE || ![11, 14, 17].every((i) => time[i] === COLON)) return undefined
  const month = MONTHS.indexOf(time.latin1Slice(3, 6))
  if (month < 0 || month % 3 !== 0 || (time[21] !== PLUS && time[21] !== MINUS)) return undefined
  const two = (at: number): number => ((time[at] as number) - ZERO) * 10 + (time[at + 1] as number) - ZERO
  const [day, year, hour, minute, second] = [two(0), two(7) * 100 + two(9), two(12), two(15), two(18)]
  const [zoneHours, zoneMinutes] = [two(22), two(24)]
  // A leap second is the first of the next minute.
  if (hour > 23 || minute > 59 || second > 60 || zoneHours > 14 || zoneMinutes > 59) return undefined
  const midnight = new Date(Date.UTC(year, month / 3, day))
  if (midnight.getUTCFullYear() !== year || midnight.getUTCDate() !== day) return undefined
  const zone = (zoneHours * 60 + zoneMinutes) * MINUTE * (time[21] === MINUS ? -1 : 1)
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 - zone
}
