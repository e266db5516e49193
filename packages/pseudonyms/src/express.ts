export { type ExpressMiddleware, pseudonymiseExpress } from './http/express.ts'
export { pseudonymousOf } from './http/node-request.ts'
