// Measures functions side by side: in each round every one runs a block of calls in turn, so that a machine that slows down
// slows all of them, and what counts is the ratio within a round.

// Short, so that a slow moment of the machine falls into one round of many, and not into most of one.
const BLOCK_MS = 5

/**
 * @param contenders - `{ name: function }`; the first is the one that the others are compared to. A function may be async
 * @param rounds - how many rounds count, after two that do not
 * @param base - `{ name: name }` for those that are compared to another than the first
 * @returns by name: nanoseconds a call (lower quartile: what others do on the machine only adds to it), and the ratio first/other by round: median, quartiles, least, most
 */
export async function interleave(contenders, rounds = 65, base = {}) {
  const names = Object.keys(contenders)
  const blocks = {}
  for (const name of names) blocks[name] = await calibrate(contenders[name])
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -2; round < rounds; round++) {
    // In another order each time: whoever follows a neighbour collects some of its garbage.
    for (const name of shuffled(names)) {
      const time = await block(contenders[name], blocks[name])
      if (round >= 0) times[name].push(time)
    }
  }
  const [first] = names
  return Object.fromEntries(names.map((name) => [name, summary(times[name], times[base[name] ?? first])]))
}

function shuffled(names) {
  const order = [...names]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}

function summary(own, first) {
  const ratios = first.map((time, i) => time / own[i])
  const [lower, upper] = [quantile(ratios, 0.25), quantile(ratios, 0.75)]
  return { ns: quantile(own, 0.25), ratio: median(ratios), lower, upper, least: Math.min(...ratios), most: Math.max(...ratios) }
}

export function median(numbers) {
  return quantile(numbers, 0.5)
}

// Between two of them, in proportion.
export function quantile(numbers, part) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * part
  const below = Math.floor(place)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below)
}

// The most of three: a pause of the machine in one of them would make blocks of a few calls, which only show how cold the caches are.
async function calibrate(call) {
  const counts = []
  for (let i = 0; i < 3; i++) counts.push(await countFor(call))
  return Math.max(...counts)
}

async function countFor(call) {
  let count = 1
  for (;;) {
    const time = (await block(call, count)) * count
    if (time > BLOCK_MS * 1e6 || count > 1e6) return Math.max(1, Math.round((count * BLOCK_MS * 1e6) / time))
    count *= 2
  }
}

async function block(call, count) {
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) {
    const answer = call()
    if (answer instanceof Promise) await answer
  }
  return Number(process.hrtime.bigint() - start) / count
}
