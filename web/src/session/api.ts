/** An answer that is not a success, by the error body `{error:{code,message,details}}`. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** What is wrong with which field of what was sent, in the server's words. */
  readonly details: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, details: unknown = {}) {
    super(message)
    this.status = status
    this.code = code
    this.details = wordsOf(details)
  }
}

/** The texts of an object; anything else of a newer server is left out. */
function wordsOf(details: unknown): Record<string, string> {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return {}
  return Object.fromEntries(Object.entries(details).filter(([, text]) => typeof text === 'string'))
}

/** No answer at all: the server is away, or the network. */
export class Unreachable extends Error {}

/** One request with a deadline. Throws [`ApiError`] or [`Unreachable`]; an abort by the caller passes through. */
export async function request<T>(path: string, init: RequestInit & { deadlineMs?: number } = {}): Promise<T> {
  const { deadlineMs = 15_000, signal, ...rest } = init
  const deadline = AbortSignal.timeout(deadlineMs)
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, {
      ...rest,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Unreachable('the server did not answer', { cause: error })
  }
  if (response.status === 204) return undefined as T
  let body: unknown = null
  try {
    body = await response.json()
  } catch (error) {
    if (signal?.aborted) throw error
    // A success is a success once it is there as a whole; what stands behind an error may be anybody's page.
    if (response.ok) throw new Unreachable('the answer broke off', { cause: error })
  }
  if (response.ok) return body as T
  const error = (body as { error?: { code?: string; message?: string; details?: unknown } } | null)?.error
  // A proxy in front answers 502 to 504 for a server that is away.
  if (!error && response.status >= 502 && response.status <= 504) throw new Unreachable('the server is away')
  throw new ApiError(response.status, error?.code ?? 'INTERNAL', error?.message ?? response.statusText, error?.details)
}

export function post<T>(path: string, body: unknown, init: RequestInit = {}): Promise<T> {
  const headers = { ...(init.headers as Record<string, string> | undefined), 'content-type': 'application/json' }
  return request<T>(path, { ...init, method: 'POST', headers, body: JSON.stringify(body) })
}
