/** What to do next, in terms of this command: the messages of core speak to whoever calls the library. */

import type { StrongroomErrorCode } from '@strongroom/core'

/** Empty where the message itself says it. */
export const ADVICE: Readonly<Record<StrongroomErrorCode, string>> = {
  invalid_argument: '',
  decrypt_failed: 'where it is a key that does not open, strongroom verify-keys shows which',
  schema_mismatch: '',
  shredded: 'there is nothing left to do there',
  retired: 'put back a copy of the data from after the rotation',
  suspended: 'strongroom erasures shows whether an erasure has suspended it',
  deactivated: '',
  denied: 'see onAccess in the configuration',
  handle_expired: 'run it again',
  not_found: 'check the spelling of the name or the id',
  period_over: '',
  conflict: 'run it again',
  region_refused: 'see keyProviders in the configuration; strongroom status lists the regions of a vault',
  key_provider_unavailable: 'run it again once the provider answers; what was done is kept',
  key_provider_timeout: 'run it again once the provider answers; what was done is kept',
  key_provider_throttled: 'wait, then run it again, with a lower --concurrency where there is one',
  wrong_root_key: 'put the newest root key back, then run it again',
  root_version_destroyed: 'restore the newest backup of the key store',
  root_key_file_invalid:
    'where the file is damaged or missing, put its newest copy back; for a new vault, strongroom init --root-key FILE makes one',
  wrong_passphrase: 'run it again with the right one',
  key_store_unavailable: 'see to what the message names, then run it again; what was done is kept',
  state_store_unavailable: 'see to what the message names, then run it again; what was done is kept',
  epoch_blocked: 'strongroom status shows what comes first; see "What can go wrong" in docs/rotation-runbook.md',
  still_referenced: '',
  revocation_required:
    'let the services of the configuration call createCredentials with the vault; or give --without-revocation, and the tokens stay good at their providers',
  held: 'strongroom holds shows why; strongroom release ends a hold',
  receipt_invalid: '',
  certificate_invalid: '',
  erasure_pending: 'strongroom erasures shows what is under way; run it again once that has ended',
  grace_over: '',
  ledger_invalid: 'see docs/erasure-and-backups.md, "The state store is lost"',
  vault_not_initialised:
    'where there should be one, see that the key store of the configuration is the right one, and mounted; for a new vault, once: strongroom init',
  already_exists: 'strongroom status shows what is there, and strongroom holds which holds stand',
  vault_closed: 'run it again',
  tenant_required: '',
  unsupported_operation: '',
  reauthorisation_required: 'have the customer connect again',
  authorisation_denied: '',
  authorisation_server_unavailable: 'run it again later',
  authorisation_server_timeout: 'run it again later',
  authorisation_server_throttled: 'wait, then run it again',
  authorisation_server_refused: '',
  authorisation_server_malformed: '',
}
