/** The live protocol and the REST bodies, as docs/specs/live-protocol.md writes them. */

import type { AlarmItem, IncidentItem } from './alarms'

export const KINDS = ['olt', 'board', 'pon', 'onu', 'padtec', 'site', 'card', 'cpe', 'unknown'] as const
export type Kind = (typeof KINDS)[number]

export const STATES = [
  'online',
  'offline',
  'absent',
  'unknown',
  'up',
  'down',
  'normal',
  'failed',
  'reachable',
  'unreachable',
] as const
export type State = (typeof STATES)[number]

export const CAUSES = ['power', 'fibre', 'admin', 'reset', 'rogue', 'other', 'unknown'] as const
export type Cause = (typeof CAUSES)[number]

export const SEVERITIES = ['critical', 'major', 'minor', 'warning', 'indeterminate'] as const
export type Severity = (typeof SEVERITIES)[number]

export type Phase = 'raise' | 'clear' | 'event'

/** Where the input of a row lies in `observations`. */
export interface Position {
  topic: string
  generation: number
  partition: number
  offset: number
}

/** Whether light can be worked with, by GPON class B+; see `features/light/levels.ts` for the limits. */
export const LEVELS = ['good', 'weak', 'bad'] as const
export type Level = (typeof LEVELS)[number]

/** What a poll read of an ONU's light. What was not read, or not understood, is null. */
export interface Optics {
  rx_dbm: number | null
  tx_dbm: number | null
  olt_rx_dbm: number | null
  temperature_c: number | null
  voltage_v: number | null
  bias_ma: number | null
  distance_m: number | null
  /** The worse of the two received levels. */
  level: Level | null
  observed_at: string
}

/** How reading an OLT goes. */
export interface Poll {
  last_good_at: string | null
  took_ms: number | null
  /** Null if the last reading was good. */
  failing_since: string | null
  /** Why the last one failed: a word of `features/polling/health.ts`, or one of a newer server. */
  class: string | null
  detail: string | null
  in_a_row: number
  firmware: string | null
  security: string | null
  legacy: boolean
  rows_refused: number
}

/** An ONU that an OLT found and that nobody has added yet, as the OLT says it. */
export interface PendingOnu {
  serial: string | null
  serial_text: string | null
  frame: number | null
  slot: number | null
  port: number | null
  vendor: string | null
  model: string | null
  version: string | null
  software_version: string | null
  password_set: boolean
  /** By the OLT's own clock and in its own words. */
  found_time: string | null
}

/** `GET /olts/{id}/autofind-onts/all`. */
export interface PendingPage {
  items: PendingOnu[]
  next: string | null
  /** When the reading was asked for that first said so; null if it was never asked. */
  observed_at: string | null
  /** There are more on the OLT than these. */
  more: boolean
}

/** ONUs below a node; the causes count the offline ones. */
export interface Counts {
  onus: number
  online: number
  offline: number
  absent: number
  unknown: number
  power: number
  fibre: number
  admin: number
  reset: number
  rogue: number
  other: number
  cause_unknown: number
}

/**
 * Present status of an entity; with `counts` in the tree. `kind`, `state` and `cause` are closed sets today, but a newer
 * server may say a word we do not know: it is shown as it is.
 */
export interface StatusItem {
  type: 'status'
  entity: string
  kind: Kind
  root: string
  parent: string | null
  site: string | null
  name: string | null
  description: string | null
  vendor: string | null
  model: string | null
  serial: string | null
  state: State
  cause: Cause | null
  cause_raw: string | null
  since: string | null
  observed_at: string | null
  received_at: string | null
  first_trap_at: string | null
  position: Position | null
  counts?: Counts
  /** Light, once it was read; ONUs only. */
  optics?: Optics
  /** How reading it goes, if it is read; OLTs only. */
  poll?: Poll
  /** ONUs that wait to be provisioned, once that was asked; OLTs only. */
  pending?: number
  /** What the inventory says beside; one entity's own answer only. */
  inventory?: Inventory
}

export interface Inventory {
  address: string | null
  attributes: Record<string, string>
  origin: string
  installed_at: string | null
  seen_at: string
}

export interface SummaryItem {
  type: 'summary'
  scope: 'all' | 'site'
  site?: string | null
  counts: Counts
  olts: number
  boards: number
  pons: number
  pons_down: number
  boards_failed: number
}

export interface EventItem {
  type: 'event'
  id: string
  entity: string
  kind: Kind
  root: string
  site: string | null
  name: string | null
  serial: string | null
  description: string | null
  event: string
  event_type: string
  phase: Phase
  severity: Severity | null
  at: string
  received_at: string
  state: State | null
  previous: State | null
  cause: Cause | null
  cause_raw: string | null
  detail: Record<string, unknown> | null
  trap_oid: string | null
  source: string | null
  position: Position | null
}

/** In a delta: the entity, alarm or incident no longer belongs to these subscriptions. */
export interface RemovedItem {
  type: 'removed'
  entity?: string
  alarm_id?: string
  incident_id?: string
}

/** How the freshness probes come through. */
export type Freshness = 'off' | 'waiting' | 'fresh' | 'late'

export interface ListenerFreshness {
  listener: string
  state: Freshness
  since: string
  sent_at: string | null
  round_trip_ms: number | null
  late_partitions: number[]
}

/** What became of the datagrams of one listener in one run of its process. */
export interface LedgerItem {
  listener: string
  run: string
  /** Whether it said so within the last minute. */
  current: boolean
  at: string
  received: number
  undecodable: number
  refused: number
  over_limit: number
  accepted: number
  recovered: number
  acknowledged: number
  waiting: number
  dropped: number
  kernel_drops: number
  lost: number
  lost_first_at: string | null
  lost_last_at: string | null
  own_probes: number
  balances: boolean
}

/** Something about the pipeline itself that a person should hear of. */
export interface SystemNotice {
  notice: 'freshness_late' | 'freshness_restored' | 'datagrams_lost' | 'ledger_unbalanced'
  listener: string
  at: string
  lost: number | null
  first_at: string | null
  last_at: string | null
  partitions: number[]
}

/** The pipeline itself: whether what is shown is fresh, and whether every datagram is accounted for. */
export interface SystemItem {
  type: 'system'
  freshness: { state: Freshness; interval_ms: number; late_after_ms: number; listeners: ListenerFreshness[] }
  ledger: LedgerItem[]
  notices: SystemNotice[]
}

export type Item = StatusItem | SummaryItem | EventItem | RemovedItem | SystemItem | AlarmItem | IncidentItem

export interface Change {
  ids: string[]
  item: Item
}

export type ServerFrame =
  | {
      type: 'welcome'
      seq: number
      instance: string
      user: string
      role: string
      tenant: string
      server_time: string
      resumed: boolean
    }
  | { type: 'snapshot'; id: string; seq: number; part: number; last: boolean; items: Item[] }
  | { type: 'delta'; seq: number; changes: Change[]; dropped?: number }
  | { type: 'lagging'; seq: number; dropped: number }
  | { type: 'error'; id?: string; code: string; message: string }
  | { type: 'pong'; seq?: number }

export interface ResumeToken {
  instance: string
  seq: number
}

/** What a client can subscribe to. */
export type Topic =
  | { topic: 'tree' }
  | { topic: 'children'; entity: string; filter?: { site?: string; kind?: string } }
  | { topic: 'entity'; entity: string }
  | { topic: 'events'; limit: number }
  | { topic: 'system' }
  | { topic: 'alarms' }
  | { topic: 'incidents' }

export interface Page<T> {
  items: T[]
  next: string | null
}
