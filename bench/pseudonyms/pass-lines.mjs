// Reads lines and writes them as they are: what the pipeline costs without what is done to the lines.
import { createReadStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

const LINE_FEED = 10
let kept = Buffer.alloc(0)
let lines = 0

const passing = new Transform({
  transform(chunk, _, done) {
    const end = chunk.lastIndexOf(LINE_FEED) + 1
    const whole = Buffer.concat([kept, chunk.subarray(0, end)])
    kept = Buffer.from(chunk.subarray(end))
    for (let at = whole.indexOf(LINE_FEED); at !== -1; at = whole.indexOf(LINE_FEED, at + 1)) lines++
    // As the command does: into bytes of its own.
    done(null, Buffer.from(whole))
  },
  flush(done) {
    done(null, kept)
  },
})
await pipeline(createReadStream(process.argv[2], { highWaterMark: 256 * 1024 }), passing, process.stdout)
