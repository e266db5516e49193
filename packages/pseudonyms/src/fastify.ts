export { type FastifyHandler, pseudonymousServer, type ServerOptions } from './http/fastify.ts'
export { pseudonymousOf } from './http/node-request.ts'
