import { useCallback, useEffect, useRef, useState } from 'react'
import { session } from '../../app/services'
import type { EventItem, Page } from '../../protocol/types'
import { mergeEvents } from './history'

const PAGE = 100
/** Pages that the state bar may ask for by itself to fill its span. */
const OWN_PAGES_MAX = 5

export interface LoadedHistory {
  events: readonly EventItem[]
  state: 'loading' | 'ready' | 'failed'
  /** Whether older events exist. */
  more: boolean
  loadMore: () => void
  /** Asks for older pages until this instant is covered, within a limit. */
  reach: (instant: number) => void
}

/** A device's recorded events, paged from the newest. */
export function useHistory(entity: string): LoadedHistory {
  const [events, setEvents] = useState<readonly EventItem[]>([])
  const [next, setNext] = useState<string | null>(null)
  const [state, setState] = useState<LoadedHistory['state']>('loading')
  const busy = useRef<AbortController | null>(null)
  const own = useRef(0)

  const load = useCallback(
    (cursor: string | null) => {
      if (busy.current) return
      const abort = new AbortController()
      busy.current = abort
      setState('loading')
      const query = `limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`
      session
        .get<Page<EventItem>>(`/devices/${encodeURIComponent(entity)}/events?${query}`, abort.signal)
        .then(page => {
          setEvents(before => mergeEvents(before, page.items))
          setNext(page.next)
          setState('ready')
        })
        .catch(error => {
          if (abort.signal.aborted) return
          console.info('history not loaded', error)
          setState('failed')
        })
        .finally(() => {
          if (busy.current === abort) busy.current = null
        })
    },
    [entity],
  )

  useEffect(() => {
    load(null)
    return () => {
      busy.current?.abort()
      busy.current = null
    }
  }, [load])

  const loadMore = useCallback(() => load(next), [load, next])
  const reach = useCallback(
    (instant: number) => {
      const oldest = events.at(-1)
      if (state !== 'ready' || next === null || !oldest || Date.parse(oldest.at) <= instant) return
      if (own.current >= OWN_PAGES_MAX) return
      own.current += 1
      load(next)
    },
    [events, next, state, load],
  )
  return { events, state, more: next !== null, loadMore, reach }
}
