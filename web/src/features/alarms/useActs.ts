import { useCallback, useSyncExternalStore } from 'react'
import { acts } from '../../app/services'
import { useConnection } from '../../live/hooks'
import type { Doing } from './acts'

/** What somebody on this page is doing to an alarm. */
export const useDoing = (alarm: string): Doing | undefined =>
  useSyncExternalStore(
    acts.listen,
    useCallback(() => acts.of(alarm), [alarm]),
  )

/** Whether this user may do something; the server decides in any case. */
export const useMayAct = (): boolean => useConnection().who?.role !== 'viewer'
