/** A page with bars: HTML with SVG in it, no script, nothing loaded from elsewhere. */

export interface Bar {
  readonly label: string
  readonly value: number
}

export interface Chart {
  readonly title: string
  readonly bars: readonly Bar[]
}

export interface Page {
  readonly day: string
  readonly headline: string
  readonly numbers: readonly (readonly [what: string, number: number])[]
  readonly charts: readonly Chart[]
}

const [WIDTH, ROW, LABEL, NUMBER] = [640, 24, 150, 70]
const STYLE = `
  :root { color-scheme: light dark; --ink: #1d2433; --soft: #5b6577; --bar: #2f6fdf; --paper: #ffffff; --line: #e3e7ee }
  @media (prefers-color-scheme: dark) { :root { --ink: #e8ecf4; --soft: #9aa5b8; --bar: #6ea2ff; --paper: #12161f; --line: #2a3140 } }
  body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 42rem; padding: 0 1rem }
  h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .5rem } p { color: var(--soft); margin: .25rem 0 1.25rem }
  dl { display: flex; gap: 2.5rem; margin: 0; padding: 1rem 0; border-block: 1px solid var(--line) }
  dt { color: var(--soft); font-size: .85rem } dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums }
  svg { width: 100%; height: auto; display: block } text { fill: var(--ink); font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums }
  .value { fill: var(--soft) } rect { fill: var(--bar) }`

export function htmlOf({ day, headline, numbers, charts }: Page): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Requests of ${escaped(day)}</title>
<style>${STYLE}
</style>
<h1>Requests of ${escaped(day)}</h1>
<p>${escaped(headline)}</p>
<dl>${numbers.map(([what, number]) => `<div><dt>${escaped(what)}</dt><dd>${number.toLocaleString('en')}</dd></div>`).join('')}</dl>
${charts.map(sectionOf).join('\n')}
</html>
`
}

function sectionOf({ title, bars }: Chart): string {
  const most = Math.max(1, ...bars.map(({ value }) => value))
  const room = WIDTH - LABEL - NUMBER
  const rows = bars.map(({ label, value }, i) => {
    const [y, width] = [i * ROW, Math.max(value > 0 ? 1 : 0, Math.round((value / most) * room))]
    return (
      `<text x="${LABEL - 10}" y="${y + 16}" text-anchor="end">${escaped(label)}</text>` +
      `<rect x="${LABEL}" y="${y + 4}" width="${width}" height="${ROW - 8}" rx="2" fill="#2f6fdf"/>` +
      `<text class="value" x="${LABEL + width + 8}" y="${y + 16}">${value.toLocaleString('en')}</text>`
    )
  })
  return `<h2>${escaped(title)}</h2>\n<svg viewBox="0 0 ${WIDTH} ${bars.length * ROW}" role="img" aria-label="${escaped(title)}">${rows.join('\n')}</svg>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
