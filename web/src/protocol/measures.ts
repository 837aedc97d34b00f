/** Measures and sites, as docs/specs/live-protocol.md writes them. */

/** A measure that an entity has. */
export interface MeasureName {
  measure: string
  unit: string
  group: string | null
}

/** The last value of one measure. `quality`: good, bad, stale, or a word of a newer server. */
export interface LatestMeasure {
  measure: string
  value: number
  unit: string
  quality: string
  observed_at: string
  /** In the list over all entities. */
  entity?: string
}

/** One sample, or what became of all samples of a window. */
export interface MeasurePoint {
  at: string
  min: number
  max: number
  avg: number
  first: number
  last: number
  n: number
}

export interface MeasureSeries {
  measure: string
  unit: string
  /** raw, hour, day, month: what the points were made from. */
  tier: string
  from: string
  to: string
  points: MeasurePoint[]
  next: string | null
}

export interface SiteItem {
  root: string
  site: string
  state: string
  cards: number
  cards_up: number
  cards_down: number
  cards_absent: number
  cards_unknown: number
}
