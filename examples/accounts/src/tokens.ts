/** Sessions and invitations are known by random tokens. What is stored is a hash, which leads nobody back to its token. */

import { createHash, randomBytes } from 'node:crypto'

export const newToken = (): string => randomBytes(32).toString('base64url')

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

const DAY_MS = 86_400_000

export const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS)
