/** The systems that customers connect: one CRM, by each of the three ways in which it can be connected. */

import type { Provider } from '@strongroom/credentials'

import type { Configuration } from './configuration.ts'

export function providers({ CRM_URL, crmClientSecret }: Configuration): Record<string, Provider> {
  const apiOrigins = [new URL(CRM_URL).origin]
  return {
    // Its refresh tokens are of single use, which is what is assumed of a provider unless it says otherwise.
    crm: { issuer: CRM_URL, clientId: 'sync-service', clientSecret: () => crmClientSecret.reveal(), scopes: ['contacts'], apiOrigins },
    'crm-key': { kind: 'apiKey', apiKeyHeader: 'x-api-key', apiOrigins },
    'crm-webhooks': { kind: 'webhookSecret' },
  }
}
