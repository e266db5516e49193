// `node download-mongod.mjs FOLDER` prints where mongod is, downloaded into the folder if it was not there.
import { MongoBinary } from 'mongodb-memory-server-core'

const [downloadDir] = process.argv.slice(2)
console.log(await MongoBinary.getPath({ downloadDir }))
