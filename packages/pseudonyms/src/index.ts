export { createPseudonyms, type AtOptions, type Pseudonyms, type ReverseOptions } from './pseudonyms.ts'
export type { PseudonymsOptions } from './options.ts'
export type { PseudonymKeys } from './keys/pseudonym-keys.ts'
export type { Reversed } from './keys/reversal.ts'
export type { IdOptions } from './identifiers/identifiers.ts'
export { type DeletionTerms, type DeletionTimes, requireDeadline } from './deletion/deadline.ts'
export { mongoRows, type MongoRowsCollection, type MongoRowsOptions } from './deletion/mongo-rows.ts'
export { mongoTenantRows, type TenantRowsCollection, type TenantRowsOptions } from './deletion/tenant-rows.ts'
export type { PseudonymResource, PseudonymRows } from './deletion/rows.ts'
export { days, hours, minutes } from '@strongroom/core'
export { type Endpoint, parseEndpoint } from './addresses/endpoint.ts'
export { formatAddress } from './addresses/format.ts'
export { ADDRESS_BYTES, parseAddress } from './addresses/parse.ts'
export type { ModeName } from './modes/mode.ts'
export { type PseudonymisedLines, pseudonymiseLines } from './lines/pseudonymise-lines.ts'
export type { LineFormatOptions, LineOptions, SharedLineOptions } from './lines/options.ts'
export type { LineCounts } from './lines/counts.ts'
export type { JsonMembers } from './lines/formats/json-lines.ts'
export type { Enrich } from './lines/enrich.ts'
export type { QueryNames } from './lines/queries.ts'
export {
  NO_CLIENT,
  type PseudonymousRequest,
  pseudonymiseRequest,
  type RequestAddress,
  type RequestOptions,
} from './http/pseudonymise-request.ts'
export type { HeaderList } from './http/headers.ts'
