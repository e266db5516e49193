// The CRM of this example: `oidc-provider` as its authorisation server, with refresh tokens of single use, detection of reuse and revocation;
// and an API that gives contacts to whoever has a live access token, or the API key. Everything is in memory.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

import { Provider } from 'oidc-provider'

const { PORT = '0', PUBLIC_URL, CRM_CLIENT_SECRET, CRM_API_KEY } = process.env
const CONTACTS = ['Ada Lovelace', 'Bob Babbage', 'Eve Rival']

const server = createServer().listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}`
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const provider = new Provider(url, {
  clients: [
    {
      client_id: 'sync-service',
      client_secret: CRM_CLIENT_SECRET,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [new URL('/connected', PUBLIC_URL).href],
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['of-this-example'] },
  scopes: ['openid', 'contacts'],
  // Its own pages, on which anybody logs in with any password and agrees.
  features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  ttl: { AccessToken: 3600, RefreshToken: 86_400, Grant: 86_400, Session: 3600, Interaction: 3600, IdToken: 3600 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
})

// What the operator of the CRM sees: how often, and which tokens there were, spent ones too.
const seen = { codes: 0, refreshes: 0, revocations: 0, familiesEnded: 0, contactsServed: 0, contactsRefused: 0 }
const tokens = { access: [], refresh: [] }
provider.on('grant.success', ({ oidc }) => {
  seen[oidc.params.grant_type === 'refresh_token' ? 'refreshes' : 'codes']++
})
provider.on('grant.revoked', () => seen.familiesEnded++)
provider.on('access_token.saved', ({ jti }) => tokens.access.push(jti))
provider.on('refresh_token.saved', ({ jti }) => tokens.refresh.includes(jti) || tokens.refresh.push(jti))

async function mayRead({ authorization = '', 'x-api-key': key }) {
  if (key !== undefined) return key === CRM_API_KEY
  const token = await provider.AccessToken.find(authorization.replace(/^Bearer /, ''))
  return token?.scope === 'contacts'
}

const OWN = {
  async 'GET /contacts'(headers) {
    const isAllowed = await mayRead(headers)
    seen[isAllowed ? 'contactsServed' : 'contactsRefused']++
    return isAllowed ? [200, { contacts: CONTACTS }] : [401, { error: 'invalid_token' }]
  },
  'GET /operator': () => [200, { ...seen, tokens }],
  /** All access tokens end before their time. */
  async 'POST /operator/expire'() {
    for (const jti of tokens.access) await (await provider.AccessToken.find(jti))?.destroy()
    return [200, {}]
  },
}

const authorisationServer = provider.callback()
async function serve(request, response) {
  if (request.url === '/token/revocation') seen.revocations++
  const own = OWN[`${request.method} ${request.url}`]
  if (own === undefined) return authorisationServer(request, response)
  const [status, body] = await own(request.headers)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
server.on('request', (request, response) => void serve(request, response))
console.log(`listening on ${url}`)
