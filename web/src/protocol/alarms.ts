import type { Position } from './types'

/** Alarms, incidents, rules and silences, as docs/specs/live-protocol.md writes them. Words of a newer server are kept as they are. */

export const CONDITIONS = ['above', 'below', 'outside', 'rate', 'state', 'no_data', 'slope'] as const
export type Condition = (typeof CONDITIONS)[number]

export const VERDICTS = [
  'forming',
  'feeder',
  'port',
  'branch',
  'power_area',
  'single_drop',
  'board',
  'monitoring_loss',
  'unexplained',
] as const

export const VISIBILITIES = ['shown', 'silenced', 'inhibited', 'suppressed'] as const
export const OPERATOR_STATES = ['none', 'acknowledged', 'closed'] as const
export const INCIDENT_STATES = ['open', 'settling', 'closed'] as const

export const REASONS = [
  'above',
  'below',
  'outside',
  'rate',
  'state',
  'no_data',
  'slope',
  'trap',
  'table',
  'within_limits',
  'state_left',
  'data_back',
  'not_listed',
  'rule_changed',
  'rule_removed',
  'out_of_scope',
  'operator',
  'flapping',
  'settled',
  'parent',
  'silence',
  'unsilenced',
] as const

export const TRANSITIONS = [
  'raised',
  'reopened',
  'changed',
  'cleared',
  'acknowledged',
  'unacknowledged',
  'commented',
  'silenced',
  'unsilenced',
  'inhibited',
  'uninhibited',
  'suppressed',
  'unsuppressed',
  'refused',
] as const

export const REFUSALS = [
  'unknown_alarm',
  'already_cleared',
  'already_acknowledged',
  'no_text',
  'not_acknowledged',
  'not_silenced',
  'bad_time',
  'unknown_act',
] as const

export const ACTS = ['acknowledge', 'unacknowledge', 'comment', 'clear', 'silence', 'unsilence'] as const
export type Act = (typeof ACTS)[number]

/** Why an alarm is as it is, with the numbers that decided. */
export interface AlarmReason {
  word: string
  measure: string | null
  value: number | null
  unit: string | null
  limit: number | null
  observed_at: string | null
  held_s: number | null
  state: string | null
  cause: string | null
  detail: string | null
}

export interface AlarmComment {
  at: string
  actor: string
  text: string
}

export interface AlarmItem {
  type: 'alarm'
  alarm_id: string
  entity: string
  root: string
  kind: string
  site: string | null
  name: string | null
  serial: string | null
  alarm_type: string
  qualifier: string
  /** `rule` or `device`: who says that there is one. */
  origin: string
  rule_id: string | null
  rule_version: number | null
  rule_name: string | null
  severity: string
  /** `raised`, `cleared`. */
  condition: string
  /** `none`, `acknowledged`, `closed`. */
  operator_state: string
  /** `shown`, `silenced`, `inhibited`, `suppressed`. */
  visibility: string
  text: string
  reason: AlarmReason
  raised_at: string
  cleared_at: string | null
  changed_at: string
  acknowledged_at: string | null
  acknowledged_by: string | null
  silenced_until: string | null
  silence_id: string | null
  /** The last 20, oldest first. */
  comments: AlarmComment[]
  /** The incident whose symptom it is. */
  incident_id: string | null
  reopened: number
  /** It stood on the device before we first asked. */
  is_old: boolean
  raise_position: Position | null
  position: Position | null
  /** `ACTIVE`, `ACKNOWLEDGED`, `CLEARED`: made from the axes. */
  status?: string
}

export interface IncidentItem {
  type: 'incident'
  incident_id: string
  root: string
  entity: string
  site: string | null
  /** `open`, `settling`, `closed`. */
  state: string
  verdict: string
  /** 0 to 1. */
  confidence: number
  severity: string
  text: string
  lost: number
  still_lost: number
  total: number
  gasps: number
  dark: number
  began_at: string
  ended_at: string | null
  changed_at: string
  affected: string[]
  affected_more: number
  pons: string[]
  position: Position | null
  /** Its first symptoms; in `GET /incidents/{id}` only. */
  symptoms?: AlarmItem[]
}

/** What happened to an alarm. */
export interface TransitionItem {
  alarm_id: string
  transition: string
  at: string
  actor: string | null
  act_id: string | null
  text: string | null
  refusal: string | null
  severity?: string | null
  condition?: string | null
  operator_state?: string | null
  visibility?: string | null
  reason?: AlarmReason | null
  position: Position | null
}

export const SCOPE_WORDS = ['tenant', 'kind', 'vendor', 'family', 'model', 'site', 'entity'] as const
export type ScopeWord = (typeof SCOPE_WORDS)[number]

/** Everything that all the given words fit; a word that is not given fits everything. */
export type Scope = Record<ScopeWord, string | null>

/** When an alarm that comes and goes is suppressed. */
export interface FlapPolicy {
  penalty: number
  half_life_s: number
  suppress: number
  reuse: number
  ceiling: number
}

/** What a person writes of a rule; the server adds who, when and which version. */
export interface RuleFields {
  rule_id?: string
  enabled: boolean
  name: string
  description: string | null
  severity: string
  condition: string
  measure: string | null
  low: number | null
  high: number | null
  window_s: number | null
  states: string[]
  causes: string[]
  dead_band: number
  raise_after_s: number
  clear_after_s: number
  reraise_after_s: number
  message: string
  scope: Scope
  flap: FlapPolicy | null
}

export interface RuleItem extends RuleFields {
  rule_id: string
  version: number
  writer?: string
  at: string
  author: string
  removed: boolean
}

export interface SilenceItem {
  silence_id: string
  version: number
  at: string
  author: string
  removed: boolean
  scope: Scope
  alarm_type: string | null
  until: string
  reason: string
}

/** The answer to an act: the log has it, the alarm has not heard of it yet. */
export interface ActAnswer {
  act_id: string
  position?: Position | null
}

export const NO_SCOPE: Scope = {
  tenant: null,
  kind: null,
  vendor: null,
  family: null,
  model: null,
  site: null,
  entity: null,
}
