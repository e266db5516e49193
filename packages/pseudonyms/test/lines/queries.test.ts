// Parameters whose values are taken out, by their names.
import { expect, test } from 'vitest'

import { sent, shownPseudonyms } from './support.ts'

test.each([
  [['token'], '/?user[token]=x&a[b][token][]=y&[token]=z&a=1', '/?user[token]=[redacted]&a[b][token][]=[redacted]&[token]=[redacted]&a=1'],
  [['token'], '/?user%5Btoken%5D=x&user%255btoken%255d=y', '/?user%5Btoken%5D=[redacted]&user%255btoken%255d=[redacted]'],
  [['token'], '/?mytoken[a]=x&tokens=y&user[mytoken]=z', '/?mytoken[a]=x&tokens=y&user[mytoken]=z'],
  [['token'], `/?${'a'.repeat(300)}[token]=x`, `/?${'a'.repeat(300)}[token]=[redacted]`],
  [['token'], '/?%20token=x&token+=y&%2520token=z', '/?%20token=[redacted]&token+=[redacted]&%2520token=[redacted]'],
  [['my key'], '/?my+key=x&My%20Key=y', '/?my+key=[redacted]&My%20Key=[redacted]'],
  [['\u00c9t\u00c9'], '/?%C3%89T%C3%89=z', '/?%C3%89T%C3%89=[redacted]'],
  [['user[id]'], '/?user[id]=v&user[name]=w&id=x', '/?user[id]=[redacted]&user[name]=w&id=x'],
  [['token'], 'token=x ?token=a\\ b\\" c', 'token=x ?token=[redacted] b\\" c'],
])('%j of %s', async (redactQuery, before, after) => {
  expect((await sent(await shownPseudonyms(), { format: 'text', redactQuery }, [before])).text).toBe(after)
})
