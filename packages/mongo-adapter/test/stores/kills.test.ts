// Core's kill test on these stores: processes that rotate, shred and write are killed at random instants. More kills in .ci/run.
import { describe, it } from 'vitest'

import { uri } from '../support.ts'

if (uri === undefined) describe.skip('kills', () => it('needs a server', () => undefined))
else {
  process.env['STRONGROOM_TEST_STORES'] = 'mongodb'
  process.env['STRONGROOM_KILLS'] ??= '8'
  await import('../../../core/test/kills/kills.test.ts')
}
