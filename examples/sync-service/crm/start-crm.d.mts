import type { Service } from '../../../tools/services/programs.mjs'

export interface Seen extends Record<
  'codes' | 'refreshes' | 'revocations' | 'familiesEnded' | 'contactsServed' | 'contactsRefused',
  number
> {
  /** All that there were, spent ones too. */
  readonly tokens: { readonly access: readonly string[]; readonly refresh: readonly string[] }
}

export interface Crm extends Service {
  seen(): Promise<Seen>
}

export const SETTINGS: Readonly<Record<'PUBLIC_URL' | 'CRM_CLIENT_SECRET', string>>
export const CRM_API_KEY: string
export function startCrm(): Promise<Crm>
