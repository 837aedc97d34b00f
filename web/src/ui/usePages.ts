import { useCallback, useEffect, useRef, useState } from 'react'
import { session } from '../app/services'
import type { Page } from '../protocol/types'
import { ApiError } from '../session/api'

export interface Pages<T> {
  items: readonly T[]
  state: 'loading' | 'ready' | 'failed'
  code: string | null
  hasMore: boolean
  more: () => void
  again: () => void
}

/** A list that the server answers page by page; `path` holds the query without the cursor. Begun anew when it changes. */
export function usePages<T>(path: string): Pages<T> {
  const [held, setHeld] = useState<{
    path: string
    items: readonly T[]
    next: string | null
    state: Pages<T>['state']
    code: string | null
  }>({
    path,
    items: [],
    next: null,
    state: 'loading',
    code: null,
  })
  const busy = useRef<AbortController | null>(null)
  const load = useCallback(
    (cursor: string | null) => {
      if (cursor !== null && busy.current) return
      busy.current?.abort()
      const abort = new AbortController()
      busy.current = abort
      setHeld(before =>
        cursor === null
          ? { path, items: [], next: null, state: 'loading', code: null }
          : { ...before, state: 'loading', code: null },
      )
      session
        .get<Page<T>>(`${path}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`, abort.signal)
        .then(page =>
          setHeld(before => ({
            path,
            items: cursor === null ? page.items : [...before.items, ...page.items],
            next: page.next ?? null,
            state: 'ready',
            code: null,
          })),
        )
        .catch(error => {
          if (abort.signal.aborted) return
          console.info('page not loaded', path, error)
          setHeld(before => ({ ...before, state: 'failed', code: error instanceof ApiError ? error.code : null }))
        })
        .finally(() => {
          if (busy.current === abort) busy.current = null
        })
    },
    [path],
  )
  useEffect(() => {
    load(null)
    return () => {
      busy.current?.abort()
      busy.current = null
    }
  }, [load])
  const { next } = held
  const more = useCallback(() => {
    if (next !== null) load(next)
  }, [load, next])
  const again = useCallback(() => load(next), [load, next])
  return { items: held.items, state: held.state, code: held.code, hasMore: next !== null, more, again }
}
