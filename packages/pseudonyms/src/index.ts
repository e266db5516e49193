export { formatAddress } from './addresses/format.ts'
export { ADDRESS_BYTES, parseAddress } from './addresses/parse.ts'
export type { AddressMode, ModeName } from './modes/mode.ts'
export { truncate } from './modes/truncate.ts'
