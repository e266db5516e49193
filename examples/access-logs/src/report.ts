/** A day by network and by country, from pseudonyms alone: what is known of it while its key lives, and what is left after that. */

import type { Bar, Page } from './page.ts'
import { type DayCount, KEPT, type Store } from './store.ts'

const DAY = 86_400_000
const MOST_BARS = 12
/** A country of fewer requests says too much of who they were. */
export const LEAST_GROUP = 10

/** @param day - `2030-01-01` */
export async function reportOf(store: Store, day: string): Promise<Page> {
  const from = Date.parse(`${day}T00:00:00Z`)
  const rows = await store.requests.find({ at: { $gte: new Date(from), $lt: new Date(from + DAY) } }).toArray()
  const lastDay = isoDay(from + KEPT)
  if (rows.length === 0 && store.now() < from + KEPT)
    return { day, headline: 'No request of this day.', numbers: [['requests', 0]], charts: [] }
  if (rows.length === 0) {
    const left = await store.counts.findOne({ _id: day })
    return {
      day,
      headline: `Key destroyed on ${lastDay}. No request of this day is left, only how many there were.`,
      numbers: [['requests', left?.requests ?? 0]],
      charts:
        left === null
          ? []
          : [{ title: 'Requests by country', bars: left.countries.map(({ country, requests }) => ({ label: country, value: requests })) }],
    }
  }
  return {
    day,
    headline: `Key and rows are kept until ${lastDay}, and destroyed then.`,
    numbers: [
      ['requests', rows.length],
      ['visitors', new Set(rows.map(({ ip }) => ip)).size],
      ['objections', rows.filter(({ ip }) => ip === '-').length],
    ],
    charts: [
      { title: 'Requests by hour, UTC', bars: byHour(rows.map(({ at }) => at.getUTCHours())) },
      { title: 'Requests by country', bars: tally(rows.map(({ country }) => country)) },
      { title: 'Requests by network (of pseudonyms: /16, /32)', bars: tally(rows.map(({ ip }) => networkOf(ip))).slice(0, MOST_BARS) },
    ],
  }
}

/** Once a day: what is kept of it for good. */
export async function countDay(store: Store, day: string): Promise<DayCount> {
  const from = Date.parse(`${day}T00:00:00Z`)
  const rows = await store.requests.find({ at: { $gte: new Date(from), $lt: new Date(from + DAY) } }).toArray()
  const countries = tally(rows.map(({ country }) => country))
    .filter(({ value }) => value >= LEAST_GROUP)
    .map(({ label, value }) => ({ country: label, requests: value }))
  const count = { _id: day, requests: rows.length, countries }
  await store.counts.replaceOne({ _id: day }, count, { upsert: true })
  return count
}

export function isoDay(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10)
}

function byHour(hours: readonly number[]): readonly Bar[] {
  return Array.from({ length: 24 }, (_, hour) => ({
    label: String(hour).padStart(2, '0'),
    value: hours.filter((each) => each === hour).length,
  }))
}

function tally(labels: readonly string[]): readonly Bar[] {
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return [...counts].map(([label, value]) => ({ label, value })).toSorted((a, b) => b.value - a.value || a.label.localeCompare(b.label))
}

// Mode `prefix` keeps networks together, under names that are good for this day only.
function networkOf(pseudonym: string): string {
  if (pseudonym === '-') return 'objected'
  const parts = pseudonym.split(pseudonym.includes(':') ? ':' : '.')
  return pseudonym.includes(':') ? `${parts.slice(0, 2).join(':')}::/32` : `${parts.slice(0, 2).join('.')}.0.0/16`
}
