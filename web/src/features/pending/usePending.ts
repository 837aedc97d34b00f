import { useEffect, useState } from 'react'
import { session } from '../../app/services'
import { useConnection } from '../../live/hooks'
import type { PendingPage, StatusItem } from '../../protocol/types'

export type Found = { state: 'loading' } | { state: 'failed' } | { state: 'found'; page: PendingPage }

/**
 * The ONUs that wait on an OLT. Asked for when their number changes, when the OLT was read again (one may have gone and
 * another come), and when the connection is back; the last answer stays until the next one is there.
 */
export function usePending(item: StatusItem): Found & { retry: () => void } {
  const [found, setFound] = useState<Found>({ state: 'loading' })
  const [attempt, setAttempt] = useState(0)
  const { phase } = useConnection()
  const { entity, pending } = item
  const readAt = item.poll?.last_good_at ?? null
  const live = phase === 'live'
  useEffect(() => {
    void [attempt, pending, readAt, live]
    const abort = new AbortController()
    session
      .get<PendingPage>(`/olts/${encodeURIComponent(entity)}/autofind-onts/all`, abort.signal)
      .then(page => setFound({ state: 'found', page }))
      .catch(error => {
        if (abort.signal.aborted) return
        console.info('the waiting ONUs could not be loaded', error)
        setFound(before => (before.state === 'found' ? before : { state: 'failed' }))
      })
    return () => abort.abort()
  }, [entity, pending, readAt, live, attempt])
  return {
    ...found,
    retry: () => {
      setFound({ state: 'loading' })
      setAttempt(n => n + 1)
    },
  }
}
