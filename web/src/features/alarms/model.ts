import { compareIds } from '../../lib/entity'
import { fold } from '../../lib/text'
import type { AlarmItem, IncidentItem } from '../../protocol/alarms'
import { SEVERITIES } from '../../protocol/types'

export type Sort = 'severity' | 'newest' | 'oldest' | 'site'
export const SORTS: readonly Sort[] = ['severity', 'newest', 'oldest', 'site']

/** What a person wants to see. `null`: everything. */
export interface AlarmFilter {
  severities: readonly string[]
  site: string | null
  /** `all`: what stands; `open`: of that what nobody has acknowledged yet; `closed`: what an operator cleared. */
  operator: 'all' | 'open' | 'acknowledged' | 'closed'
  visibility: string | null
  text: string
}

export const NO_ALARM_FILTER: AlarmFilter = {
  severities: [],
  site: null,
  operator: 'all',
  visibility: 'shown',
  text: '',
}

export const isFiltered = (filter: AlarmFilter): boolean =>
  filter.severities.length > 0 ||
  filter.site !== null ||
  filter.operator !== 'all' ||
  filter.visibility !== 'shown' ||
  filter.text.trim() !== ''

/** 0 is the worst; a word of a newer server comes after those that we know. */
export const severityRank = (severity: string): number => RANKS.get(severity) ?? SEVERITIES.length

const RANKS: ReadonlyMap<string, number> = new Map(SEVERITIES.map((severity, rank) => [severity, rank]))

const searched = new WeakMap<object, string>()

/** Everything of an alarm in which a person looks for words. */
function haystack(item: AlarmItem | IncidentItem): string {
  let text = searched.get(item)
  if (text === undefined) {
    const own =
      item.type === 'alarm'
        ? [item.name, item.serial, item.rule_name, item.alarm_type, item.alarm_id]
        : [item.verdict, item.incident_id]
    text = fold([item.text, item.entity, item.site, ...own].filter(Boolean).join('\n'))
    searched.set(item, text)
  }
  return text
}

const hasWords = (item: AlarmItem | IncidentItem, words: readonly string[]): boolean =>
  words.length === 0 || words.every(word => haystack(item).includes(word))

export const wordsOf = (text: string): string[] => fold(text).split(/\s+/).filter(Boolean)

const OPERATOR: Record<AlarmFilter['operator'], (state: string) => boolean> = {
  all: state => state !== 'closed',
  open: state => state !== 'closed' && state !== 'acknowledged',
  acknowledged: state => state === 'acknowledged',
  closed: state => state === 'closed',
}

/** Whether an alarm passes all but `visibility` and `severities`: what those hide is counted. */
function passes(item: AlarmItem, filter: AlarmFilter, words: readonly string[]): boolean {
  if (filter.site !== null && item.site !== filter.site) return false
  if (!OPERATOR[filter.operator](item.operator_state)) return false
  return hasWords(item, words)
}

/** One line of the list. */
export type Row =
  | { kind: 'title'; key: string; of: 'incidents' | 'alarms'; n: number }
  | { kind: 'incident'; key: string; incident: IncidentItem; symptoms: number; open: boolean }
  | { kind: 'alarm'; key: string; alarm: AlarmItem; isSymptom: boolean }
  | { kind: 'unlisted'; key: string; incident: IncidentItem }

export interface Folded {
  rows: Row[]
  /** Alarms shown that are not symptoms. */
  alarms: number
  incidents: number
  /** Alarms that pass the filter but for their visibility, by visibility. */
  hidden: ReadonlyMap<string, number>
  /** Alarms by severity that pass the filter but for their severity; symptoms not counted in. */
  bySeverity: ReadonlyMap<string, number>
}

/**
 * The list: incidents with their symptoms folded, below them what is no symptom. An alarm whose incident is not known
 * here stands for itself: none is ever lost from sight by it.
 */
export function foldAlarms(
  alarms: readonly AlarmItem[],
  incidents: readonly IncidentItem[],
  filter: AlarmFilter,
  sort: Sort,
  opened: ReadonlySet<string>,
): Folded {
  const words = wordsOf(filter.text)
  const known = new Map(incidents.map(incident => [incident.incident_id, incident]))
  const symptoms = new Map<string, AlarmItem[]>()
  const single: AlarmItem[] = []
  const hidden = new Map<string, number>()
  const bySeverity = new Map<string, number>()
  for (const alarm of alarms) {
    const of = alarm.incident_id !== null && known.has(alarm.incident_id) ? alarm.incident_id : null
    if (of !== null) {
      const list = symptoms.get(of)
      if (list) list.push(alarm)
      else symptoms.set(of, [alarm])
      continue
    }
    if (!passes(alarm, filter, words)) continue
    const wanted = filter.severities.length === 0 || filter.severities.includes(alarm.severity)
    if (filter.visibility !== null && alarm.visibility !== filter.visibility) {
      if (wanted) hidden.set(alarm.visibility, (hidden.get(alarm.visibility) ?? 0) + 1)
      continue
    }
    bySeverity.set(alarm.severity, (bySeverity.get(alarm.severity) ?? 0) + 1)
    if (wanted) single.push(alarm)
  }

  const shownIncidents = incidents.filter(
    incident =>
      (filter.severities.length === 0 || filter.severities.includes(incident.severity)) &&
      (filter.site === null || incident.site === filter.site) &&
      (hasWords(incident, words) || (symptoms.get(incident.incident_id) ?? []).some(alarm => hasWords(alarm, words))),
  )
  shownIncidents.sort(incidentOrder)
  const sorted = inOrder(single, sort)

  const rows: Row[] = []
  if (shownIncidents.length > 0) {
    rows.push({ kind: 'title', key: 'title incidents', of: 'incidents', n: shownIncidents.length })
    for (const incident of shownIncidents) {
      const id = incident.incident_id
      const below = symptoms.get(id) ?? []
      const open = opened.has(id)
      rows.push({ kind: 'incident', key: `incident ${id}`, incident, symptoms: below.length, open })
      if (!open) continue
      for (const alarm of inOrder(below, 'site'))
        rows.push({ kind: 'alarm', key: alarm.alarm_id, alarm, isSymptom: true })
      if (below.length === 0) rows.push({ kind: 'unlisted', key: `unlisted ${id}`, incident })
    }
  }
  if (single.length > 0) {
    rows.push({ kind: 'title', key: 'title alarms', of: 'alarms', n: single.length })
    for (const alarm of sorted) rows.push({ kind: 'alarm', key: alarm.alarm_id, alarm, isSymptom: false })
  }
  return { rows, alarms: single.length, incidents: shownIncidents.length, hidden, bySeverity }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const worst = (a: { severity: string }, b: { severity: string }): number =>
  severityRank(a.severity) - severityRank(b.severity)

/** What an alarm is sorted by, taken from it once: with 10,000 of them a sort compares 130,000 times. */
interface Sorted {
  alarm: AlarmItem
  rank: number
  /** When it was raised, in milliseconds. */
  at: number
}

const keys = new WeakMap<AlarmItem, Sorted>()

function keyOf(alarm: AlarmItem): Sorted {
  let key = keys.get(alarm)
  if (key === undefined) {
    key = { alarm, rank: severityRank(alarm.severity), at: Date.parse(alarm.raised_at) || 0 }
    keys.set(alarm, key)
  }
  return key
}

const newest = (a: Sorted, b: Sorted): number => b.at - a.at || compare(a.alarm.alarm_id, b.alarm.alarm_id)

const ORDERS: Record<Sort, (a: Sorted, b: Sorted) => number> = {
  severity: (a, b) => a.rank - b.rank || newest(a, b),
  newest,
  oldest: (a, b) => newest(b, a),
  site: (a, b) =>
    compareIds(a.alarm.site ?? '~', b.alarm.site ?? '~') || compareIds(a.alarm.entity, b.alarm.entity) || newest(a, b),
}

const inOrder = (alarms: readonly AlarmItem[], sort: Sort): AlarmItem[] =>
  alarms
    .map(keyOf)
    .sort(ORDERS[sort])
    .map(({ alarm }) => alarm)

const incidentOrder = (a: IncidentItem, b: IncidentItem): number =>
  Number(a.state === 'settling') - Number(b.state === 'settling') ||
  worst(a, b) ||
  b.still_lost - a.still_lost ||
  compare(b.began_at, a.began_at) ||
  compare(a.incident_id, b.incident_id)

/**
 * What the bar says: raised alarms that are shown and that nobody has acknowledged, symptoms folded into their incidents.
 * An incident is looked after when all its symptoms are.
 */
export interface Standing {
  incidents: number
  alarms: number
  worst: string | null
}

/** Symptoms of an incident that nobody has acknowledged. */
export const openSymptoms = (alarms: readonly AlarmItem[], incident: string): AlarmItem[] =>
  alarms.filter(alarm => alarm.incident_id === incident && alarm.operator_state === 'none')

export function standing(alarms: readonly AlarmItem[], incidents: readonly IncidentItem[]): Standing {
  const known = new Set(incidents.map(incident => incident.incident_id))
  // By incident: whether it has symptoms, and one of them that nobody has acknowledged.
  const open = new Map<string, boolean>()
  for (const { incident_id: id, operator_state: operator } of alarms)
    if (id !== null && known.has(id)) open.set(id, (open.get(id) ?? false) || operator === 'none')
  let count = 0
  let worstOf: string | null = null
  const look = (severity: string) => {
    if (worstOf === null || severityRank(severity) < severityRank(worstOf)) worstOf = severity
  }
  for (const alarm of alarms) {
    if (alarm.visibility !== 'shown' || alarm.operator_state !== 'none') continue
    if (alarm.incident_id !== null && known.has(alarm.incident_id)) continue
    count += 1
    look(alarm.severity)
  }
  const waiting = incidents.filter(incident => open.get(incident.incident_id) !== false)
  for (const incident of waiting) look(incident.severity)
  return { incidents: waiting.length, alarms: count, worst: worstOf }
}
