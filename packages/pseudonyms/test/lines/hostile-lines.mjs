// Lines made to be slow, of any length.
const NESTED = '%25252525252531'
const TEXT = { format: 'text' }
const QUERY = { format: 'text', redactQuery: ['token'] }
const JSON_LINES = { format: 'json', addresses: ['ip', 'client.ip'] }
const COMBINED = { format: 'combined' }
const CLF = '1.1.1.1 - - [10/Oct/2000:13:55:36 +0000] "'

const filled = (bytes, unit) => unit.repeat(Math.ceil(bytes / unit.length))

const LINES = {
  'addresses, and one escape in others': [TEXT, (n) => filled(n, '1.1.1.1,') + NESTED],
  'IPv6, and one escape in others': [TEXT, (n) => filled(n, '::,') + NESTED],
  'addresses behind escapes': [TEXT, (n) => filled(n, '\\u003c::')],
  'escapes in escapes': [QUERY, (n) => filled(n, '%25252525252531')],
  'one escape and digits': [TEXT, (n) => `%41${filled(n, 'a')}`],
  schemes: [TEXT, (n) => filled(n, 'http:')],
  'schemes and one user': [TEXT, (n) => `${filled(n, 'http:')}@${filled(n, '1')}`],
  users: [TEXT, (n) => `http://${filled(n, '@1.')}`],
  'URLs in users': [TEXT, (n) => filled(n, 'http://@')],
  slashes: [TEXT, (n) => filled(n, 'http:////')],
  'digits and a colon': [TEXT, (n) => `${filled(n, 'a')}:1`],
  numbers: [TEXT, (n) => filled(n, '1.')],
  groups: [TEXT, (n) => filled(n, 'a:')],
  'numbers and some colons': [TEXT, (n) => `1:1:1:1:1:1:${filled(n, 'a.')}`],
  'digits of one reference': [TEXT, (n) => `&#${filled(n, '0')}`],
  references: [QUERY, (n) => filled(n, '&#&amp;&')],
  backslashes: [QUERY, (n) => filled(n, '\\')],
  NULs: [TEXT, (n) => filled(n, '1\0.\0')],
  'ever other characters': [
    TEXT,
    (n) => Array.from({ length: Math.ceil(n / 3) }, (_, i) => String.fromCharCode(0x800 + ((i * 257) % 0xc000))).join(''),
  ],
  parameters: [QUERY, (n) => filled(n, '?token=%26')],
  'names that may be parameters': [QUERY, (n) => filled(n, '?tokentoken')],
  'a name in brackets': [QUERY, (n) => `?${filled(n, '[')}=x`],
  brackets: [COMBINED, (n) => filled(n, ' [')],
  'lines without a blank': [COMBINED, (n) => filled(n, 'a\n')],
  'lines without a bracket': [COMBINED, (n) => filled(n, 'a b\n')],
  'lines without a comma': [COMBINED, (n) => filled(n, `${CLF}\n`)],
  'JSON: a list of addresses': [JSON_LINES, (n) => `{"ip":[${filled(n, '"1.1.1.1",')}"-"]}`],
  'JSON: commas': [JSON_LINES, (n) => `{"ip":"${filled(n, ',')}"}`],
}

export const NAMES = Object.keys(LINES)

export function lineOf(name, bytes) {
  const [options, textOf] = LINES[name]
  // In one piece, of whatever length.
  return { line: Buffer.from(textOf(bytes)), options: { ...options, mostLine: 64 * 2 ** 20 } }
}
