// A day's traffic, made up: visitors of a few networks and countries, more by day than by night. The same each time.
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  'Mozilla/5.0 (Macintosh) Chrome/126.0.0.0 Safari/537.36',
  'curl/8.5.0',
]
// Networks, as many visitors as they have shares.
const NETWORKS = [
  ['81.56.', 9],
  ['24.48.', 7],
  ['42.60.', 6],
  ['83.201.', 5],
  ['2a01:e0a:', 5],
  ['2607:fea8:', 4],
  ['184.160.', 3],
  ['2406:3003:', 3],
  ['116.14.', 2],
  ['70.81.', 2],
  ['90.3.', 1],
  ['2001:41d0:', 1],
]

/**
 * @param day - `2030-01-01`. @param until - of that day, in milliseconds: what is later has not happened yet
 * @returns `lines` of the combined format, and the `addresses` in them
 */
export function trafficOf(day, { requests = 20_000, visitors = 2_500, until = 86_400_000 } = {}) {
  let seed = 42
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  const below = (most) => Math.floor(random() * most)
  const pick = (list) => list[below(list.length)]
  const networks = NETWORKS.flatMap(([network, share]) => Array.from({ length: share }, () => network))
  const addresses = Array.from({ length: visitors }, () => {
    const network = pick(networks)
    return network.includes(':')
      ? `${network}${below(65_536).toString(16)}::${(1 + below(65_535)).toString(16)}`
      : `${network}${below(256)}.${1 + below(254)}`
  })
  const [year, month, date] = day.split('-')
  const two = (number) => String(number).padStart(2, '0')
  // Most of it around 15 o'clock.
  const instants = Array.from({ length: requests }, () =>
    Math.floor((((random() + random() + random()) / 3 + 0.125) % 1) * until),
  ).toSorted((a, b) => a - b)
  const seen = new Set()
  const lines = instants.map((instant) => {
    // A few come often.
    const address = addresses[Math.floor(random() ** 2 * visitors)]
    seen.add(address)
    const [hour, minute, second] = [instant / 3_600_000, (instant / 60_000) % 60, (instant / 1000) % 60].map((part) =>
      two(Math.floor(part)),
    )
    const time = `${date}/${MONTHS[Number(month) - 1]}/${year}:${hour}:${minute}:${second} +0000`
    return `${address} - - [${time}] "GET /images/${below(500)}.jpg?w=${pick([320, 640, 1280])}&token=${below(1e9).toString(36)} HTTP/1.1" 200 ${below(500_000)} "https://shop.example/" "${pick(AGENTS)}"`
  })
  return { lines, addresses: [...seen] }
}
