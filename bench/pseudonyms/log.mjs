// Lines of the combined format as they are on a busy site, of today.
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  'curl/8.5.0',
]
const TARGETS = [
  '/img/a%20photo.jpg?w=300&h=200',
  '/',
  '/api/v1/items/1234?sort=asc&page=2',
  '/assets/app.3f2a91.js',
  '/login?token=secret&next=home',
]
const A_SECOND = 1000

/** @param bytes - at least so many, in whole lines. The same each time, but for the day */
export function logOf(bytes) {
  let seed = 1
  const below = (most) => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) % most
  const pick = (list) => list[below(list.length)]
  const [year, month, day] = new Date().toISOString().slice(0, 10).split('-')
  const date = `${day}/${MONTHS[Number(month) - 1]}/${year}`
  const two = (number) => String(number).padStart(2, '0')
  const address = () =>
    below(10) < 7
      ? `${below(223) + 1}.${below(256)}.${below(256)}.${below(256)}`
      : `2001:db8:${below(65_536).toString(16)}::${below(65_536).toString(16)}`
  const all = []
  for (let length = 0, i = 0; length < bytes; i++) {
    // From midnight on: no line is ahead of the clock by more than a period.
    const second = Math.floor(i / A_SECOND) % 3600
    const time = `[${date}:00:${two(Math.floor(second / 60))}:${two(second % 60)} +0000]`
    const line = `${address()} - - ${time} "GET ${pick(TARGETS)} HTTP/1.1" 200 ${below(100_000)} "https://example.com/page/${below(1000)}" "${pick(AGENTS)}"\n`
    all.push(line)
    length += line.length
  }
  return Buffer.from(all.join(''), 'latin1')
}
