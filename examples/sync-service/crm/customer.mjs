// A customer's browser at the CRM: logs in, and agrees or does not.

/** That of the customer at the CRM, which is no affair of anybody else. */
export const PASSWORD = 'password of Ada at the CRM'

/** @returns where the CRM sends the browser back to */
export async function visit(start, { agrees = true } = {}) {
  const { origin } = new URL(start)
  const cookies = new Map()
  const forms = [{ prompt: 'login', login: 'ada', password: PASSWORD }, { prompt: 'consent' }]
  for (let url = start; ;) {
    let response = await request(url, cookies)
    // A page with a form: to log in, then to agree.
    if (response.status === 200) response = agrees ? await request(url, cookies, forms.shift()) : await request(`${url}/abort`, cookies)
    const location = response.headers.get('location')
    if (location === null) throw new Error(`the CRM answered with ${response.status}`)
    url = new URL(location, url).href
    if (new URL(url).origin !== origin) return url
  }
}

async function request(url, cookies, form) {
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { cookie },
    ...(form && { method: 'POST', body: new URLSearchParams(form) }),
  })
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
    cookies.set(name, value)
  }
  return response
}
