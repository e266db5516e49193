export { type HonoContext, type HonoOptions, pseudonymiseHono } from './http/hono.ts'
