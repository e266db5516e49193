/** Numbers as people read them. */

const GROUPS = new Intl.NumberFormat('en')

/** `1 key`, `1,200 keys`. */
export function count(n: number, what: string): string {
  return `${GROUPS.format(n)} ${what}${n === 1 ? '' : 's'}`
}
