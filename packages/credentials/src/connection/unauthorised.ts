/** Whether what some SDK threw, or a fetch resolved to, says that the token was refused. */

/** The status 401 of a `Response`, or of an error as fetch wrappers, axios, got and the SDKs built on them throw it. */
export function isUnauthorised(result: { readonly thrown: unknown } | { readonly returned: unknown }): boolean {
  if ('returned' in result) return result.returned instanceof Response && result.returned.status === 401
  const { thrown } = result
  if (typeof thrown !== 'object' || thrown === null) return false
  const { status, statusCode, response } = thrown as {
    readonly status?: unknown
    readonly statusCode?: unknown
    readonly response?: unknown
  }
  if (status === 401 || statusCode === 401) return true
  if (typeof response !== 'object' || response === null) return false
  const inner = response as { readonly status?: unknown; readonly statusCode?: unknown }
  return inner.status === 401 || inner.statusCode === 401
}
