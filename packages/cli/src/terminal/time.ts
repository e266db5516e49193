/** Instants as people read them, always in UTC. */

const DAY_MS = 86_400_000

/** `2030-01-01 03:00Z` */
export function minute(instant: number): string {
  return new Date(instant).toISOString().slice(0, 16).replace('T', ' ').concat('Z')
}

/** `2030-01-01 (12 days old)` */
export function dayAndAge(instant: number, now: number): string {
  const days = Math.max(0, Math.floor((now - instant) / DAY_MS))
  return `${new Date(instant).toISOString().slice(0, 10)} (${days} day${days === 1 ? '' : 's'} old)`
}
