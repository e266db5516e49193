// A real authorisation server in a process of its own: oidc-provider with rotation, detection of reuse, expiry and revocation.
import { createServer } from 'node:http'
import { generateKeyPairSync } from 'node:crypto'

import { Provider } from 'oidc-provider'

const CLIENT = { client_id: 'our-service', client_secret: 'our-service-secret-of-the-tests' }
const [lifetime = '3600'] = process.argv.slice(2)

const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const provider = new Provider(issuer, {
  clients: [
    {
      ...CLIENT,
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1:1/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
  scopes: ['openid', 'offline_access', 'contacts'],
  features: { devInteractions: { enabled: false }, revocation: { enabled: true }, clientCredentials: { enabled: true } },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  ttl: { AccessToken: Number(lifetime), RefreshToken: 86_400, Grant: 86_400, ClientCredentials: Number(lifetime), IdToken: 3600 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  cookies: { keys: ['of-the-tests'] },
})

const count = { refreshes: 0, refused: 0, revocations: 0, familiesEnded: 0, clientCredentials: 0, apiCalls: 0 }
provider.on('grant.success', ({ oidc }) => {
  if (oidc.params.grant_type === 'refresh_token') count.refreshes++
  if (oidc.params.grant_type === 'client_credentials') count.clientCredentials++
})
provider.on('grant.error', () => count.refused++)
provider.on('grant.revoked', () => count.familiesEnded++)

// As it would be after a customer has agreed.
async function grantTokens() {
  const client = await provider.Client.find(CLIENT.client_id)
  const grant = new provider.Grant({ accountId: 'customer', clientId: CLIENT.client_id })
  grant.addOIDCScope('openid offline_access contacts')
  const grantId = await grant.save()
  const common = { accountId: 'customer', client, grantId, gty: 'authorization_code', scope: 'openid offline_access contacts' }
  const access = new provider.AccessToken(common)
  const access_token = await access.save()
  const refresh_token = await new provider.RefreshToken(common).save()
  return { access_token, refresh_token, token_type: 'bearer', expires_in: access.expiration, scope: common.scope }
}

const OWN = {
  '/test/grant': grantTokens,
  '/test/count': async () => ({ ...count }),
}

// What the browser comes back with once a customer has agreed: the interaction itself is the provider's own affair.
async function agree(url) {
  const asked = new URL(url).searchParams
  const client = await provider.Client.find(CLIENT.client_id)
  const grant = new provider.Grant({ accountId: 'customer', clientId: CLIENT.client_id })
  grant.addOIDCScope(asked.get('scope'))
  const code = new provider.AuthorizationCode({
    accountId: 'customer',
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    scope: asked.get('scope'),
    redirectUri: asked.get('redirect_uri'),
    codeChallenge: asked.get('code_challenge'),
    codeChallengeMethod: asked.get('code_challenge_method'),
  })
  const back = new URL(asked.get('redirect_uri'))
  back.searchParams.set('code', await code.save())
  back.searchParams.set('iss', issuer)
  back.searchParams.set('state', asked.get('state'))
  return back.href
}

const handle = provider.callback()
server.on('request', (request, response) => void serve(request, response))

async function serve(request, response) {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const own = OWN[request.url]
  if (own !== undefined) return answer(200, await own())
  if (request.url === '/test/agree') {
    let url = ''
    for await (const chunk of request) url += chunk
    return response.end(await agree(url))
  }
  if (request.url === '/token/revocation') count.revocations++
  if (request.url !== '/api/contacts') return handle(request, response)
  count.apiCalls++
  const token = await provider.AccessToken.find(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
  return token === undefined ? answer(401, { error: 'invalid_token' }) : answer(200, { contacts: ['Ada'] })
}
process.send?.({ issuer })
process.on('disconnect', () => process.exit(0))
