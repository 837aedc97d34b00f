import { useCallback, useEffect, useState } from 'react'
import { session } from '../../app/services'
import { useConnection } from '../../live/hooks'
import type { MeasureSeries } from '../../protocol/measures'
import { ApiError } from '../../session/api'
import { NO_SERIES, type Series, toSeries } from './series'

/** Points asked for by one request: four for each column of a wide screen. */
const POINTS = 4_000
/** More than this of one measure is not kept: three years hourly are 26,000. */
const POINTS_MAX = 100_000

export type Tier = 'auto' | 'raw' | 'hour' | 'day' | 'month'

const DAY_MS = 86_400_000
/** Longest span that the server answers of a tier, in milliseconds. */
const LONGEST_MS: Record<Tier, number> = {
  auto: Number.POSITIVE_INFINITY,
  raw: 31 * DAY_MS,
  hour: 400 * DAY_MS,
  day: Number.POSITIVE_INFINITY,
  month: Number.POSITIVE_INFINITY,
}

export const fitsTier = (tier: Tier, spanMs: number): boolean => spanMs <= LONGEST_MS[tier]

/** What is asked for: where the server would choose months, days are there too and say more. */
export const tierOf = (wanted: Tier, spanMs: number): Tier =>
  !fitsTier(wanted, spanMs) || wanted === 'auto' ? (spanMs > 366 * DAY_MS ? 'day' : 'auto') : wanted

export interface SeriesRequest {
  entity: string
  measure: string
  from: number
  to: number
  tier: Tier
}

export interface LoadedSeries {
  state: 'loading' | 'ready' | 'failed'
  series: Series
  unit: string
  /** What the server made the points from. */
  tier: string
  /** There was more than is kept. */
  isCut: boolean
  code: string | null
}

const NOTHING: LoadedSeries = { state: 'loading', series: NO_SERIES, unit: '', tier: '', isCut: false, code: null }

/** All points of a measure in a span, page after page up to a limit. */
export async function readSeries(
  of: SeriesRequest,
  signal: AbortSignal,
): Promise<{ series: Series; unit: string; tier: string; isCut: boolean }> {
  const query = new URLSearchParams({
    measure: of.measure,
    from: new Date(of.from).toISOString(),
    to: new Date(of.to).toISOString(),
    tier: of.tier,
    points: String(POINTS),
  })
  const points: MeasureSeries['points'] = []
  let page: MeasureSeries | null = null
  do {
    const cursor: string = page?.next ? `&cursor=${encodeURIComponent(page.next)}` : ''
    page = await session.get<MeasureSeries>(
      `/devices/${encodeURIComponent(of.entity)}/measurements?${query}${cursor}`,
      signal,
    )
    points.push(...page.points)
  } while (page.next && page.points.length > 0 && points.length < POINTS_MAX)
  return { series: toSeries(points), unit: page.unit, tier: page.tier, isCut: Boolean(page.next) }
}

/** A measure's points; what was read stays until the next is there. Read anew with `version`. */
export function useSeries(of: SeriesRequest | null, version: number): LoadedSeries & { again: () => void } {
  const key = of ? JSON.stringify(of) : ''
  const [held, setHeld] = useState<LoadedSeries & { subject: string }>({ ...NOTHING, subject: '' })
  const [attempt, setAttempt] = useState(0)
  const isLive = useConnection().phase === 'live'
  const subject = of ? `${of.entity} ${of.measure}` : ''
  useEffect(() => {
    void [version, attempt, isLive]
    if (key === '') return
    const abort = new AbortController()
    const request = JSON.parse(key) as SeriesRequest
    const about = `${request.entity} ${request.measure}`
    setHeld(before => (before.subject === about ? { ...before, state: 'loading' } : { ...NOTHING, subject: about }))
    readSeries(request, abort.signal)
      .then(answer => setHeld({ ...answer, state: 'ready', code: null, subject: about }))
      .catch(error => {
        if (abort.signal.aborted) return
        console.info('measurements not loaded', error)
        setHeld(before => ({ ...before, state: 'failed', code: error instanceof ApiError ? error.code : null }))
      })
    return () => abort.abort()
  }, [key, version, attempt, isLive])
  const again = useCallback(() => setAttempt(n => n + 1), [])
  return { ...(held.subject === subject ? held : NOTHING), again }
}
