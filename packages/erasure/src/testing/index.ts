export { type AtFailpoint, type Failpoint, FAILPOINTS } from '../failpoints.ts'
export { withFailpoints } from './with-failpoints.ts'
