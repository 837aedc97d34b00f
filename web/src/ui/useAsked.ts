import { useCallback, useEffect, useState } from 'react'
import { session } from '../app/services'
import { useConnection } from '../live/hooks'
import { ApiError } from '../session/api'

/** What came of asking the server. The last answer stays while the next one is on its way, or did not come. */
export interface Asked<T> {
  state: 'loading' | 'ready' | 'missing' | 'failed'
  value: T | null
  /** The server's code, if it said one. */
  code: string | null
  again: () => void
}

/**
 * Asks when `path` or `version` changes, when the connection is back, and every `everyMs` if that is given; `null` asks
 * nothing.
 */
export function useAsked<T>(path: string | null, version: unknown = null, everyMs: number | null = null): Asked<T> {
  const [asked, setAsked] = useState<Omit<Asked<T>, 'again'> & { path: string | null }>({
    path,
    state: 'loading',
    value: null,
    code: null,
  })
  const [attempt, setAttempt] = useState(0)
  const isLive = useConnection().phase === 'live'
  useEffect(() => {
    void [attempt, version, isLive]
    if (path === null) return
    const abort = new AbortController()
    session
      .get<T>(path, abort.signal)
      .then(value => setAsked({ path, state: 'ready', value, code: null }))
      .catch(error => {
        if (abort.signal.aborted) return
        const code = error instanceof ApiError ? error.code : null
        const isMissing = error instanceof ApiError && error.status === 404
        console.info('not answered', path, error)
        setAsked(before => {
          const kept = before.path === path ? before.value : null
          return { path, state: isMissing ? 'missing' : 'failed', value: kept, code }
        })
      })
    return () => abort.abort()
  }, [path, version, isLive, attempt])
  useEffect(() => {
    if (everyMs === null || path === null) return
    const timer = setInterval(() => {
      if (!document.hidden) setAttempt(n => n + 1)
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs, path])
  const again = useCallback(() => setAttempt(n => n + 1), [])
  if (asked.path !== path) return { state: 'loading', value: null, code: null, again }
  return { state: asked.state, value: asked.value, code: asked.code, again }
}
