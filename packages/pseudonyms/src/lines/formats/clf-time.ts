/** The time of the common log format: `10/Oct/2000:13:55:36 -0700`. */

import { COLON, IS_DIGIT, SLASH, SPACE, ZERO } from '../bytes.ts'

/** Bytes of such a time. */
export const CLF_TIME_BYTES = 26

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const SECONDS_AT = 18
const DIGITS_AT = [0, 1, 7, 8, 9, 10, 12, 13, 15, 16, 22, 23, 24, 25]
const COLONS_AT = [11, 14, 17]
const [PLUS, MINUS] = [0x2b, 0x2d]
const MINUTE = 60_000

/** Reads times, of which most are of the same minute as that of the line before. */
export class ClfTimes {
  readonly #last: Buffer = Buffer.alloc(CLF_TIME_BYTES)
  #minute: number | undefined

  /** @returns UTC milliseconds; `undefined` where no such time stands at that place */
  read(bytes: Buffer, at: number, to: number): number | undefined {
    if (at + CLF_TIME_BYTES > to) return undefined
    if (!this.#isSameMinute(bytes, at)) {
      bytes.copy(this.#last, 0, at, at + CLF_TIME_BYTES)
      this.#minute = minuteOf(this.#last)
    }
    const [tens, ones] = [bytes[at + SECONDS_AT] as number, bytes[at + SECONDS_AT + 1] as number]
    if (this.#minute === undefined || IS_DIGIT[tens] === 0 || IS_DIGIT[ones] === 0) return undefined
    const seconds = (tens - ZERO) * 10 + ones - ZERO
    // A leap second is the first of the next minute.
    const instant = this.#minute + seconds * 1000
    return seconds > 60 || instant < 0 ? undefined : instant
  }

  #isSameMinute(bytes: Buffer, at: number): boolean {
    const last = this.#last
    for (let i = 0; i < SECONDS_AT; i++) if (bytes[at + i] !== last[i]) return false
    for (let i = SECONDS_AT + 2; i < CLF_TIME_BYTES; i++) if (bytes[at + i] !== last[i]) return false
    return true
  }
}

function minuteOf(time: Buffer): number | undefined {
  if (!DIGITS_AT.every((i) => IS_DIGIT[time[i] as number] === 1) || !COLONS_AT.every((i) => time[i] === COLON)) return undefined
  if (time[2] !== SLASH || time[6] !== SLASH || time[20] !== SPACE || (time[21] !== PLUS && time[21] !== MINUS)) return undefined
  const month = MONTHS.indexOf(time.toString('latin1', 3, 6))
  if (month < 0 || month % 3 !== 0) return undefined
  const two = (at: number): number => ((time[at] as number) - ZERO) * 10 + (time[at + 1] as number) - ZERO
  const [day, year, hour, minute, zoneHours, zoneMinutes] = [two(0), two(7) * 100 + two(9), two(12), two(15), two(22), two(24)]
  if (hour > 23 || minute > 59 || zoneHours > 14 || zoneMinutes > 59) return undefined
  const midnight = new Date(Date.UTC(year, month / 3, day))
  if (midnight.getUTCFullYear() !== year || midnight.getUTCDate() !== day) return undefined
  const zone = (zoneHours * 60 + zoneMinutes) * (time[21] === MINUS ? -1 : 1)
  return midnight.getTime() + (hour * 60 + minute - zone) * MINUTE
}
