import { type AlarmItem, type IncidentItem, NO_SCOPE, type RuleItem } from '../protocol/alarms'
import type { Counts, EventItem, Optics, Poll, StatusItem, SummaryItem } from '../protocol/types'
import { parentOf, parseEntity } from './entity'

/** Items for tests: everything plain, the given fields over it. */
export function statusItem(entity: string, change: Partial<StatusItem> = {}): StatusItem {
  const { kind, root } = parseEntity(entity)
  return {
    type: 'status',
    entity,
    kind,
    root,
    parent: parentOf(entity),
    site: 'RJO',
    name: null,
    description: null,
    vendor: null,
    model: null,
    serial: null,
    state: kind === 'onu' ? 'online' : kind === 'pon' ? 'up' : kind === 'board' ? 'normal' : 'reachable',
    cause: null,
    cause_raw: null,
    since: '2026-11-21T10:00:00.000Z',
    observed_at: null,
    received_at: null,
    first_trap_at: null,
    position: null,
    ...change,
  }
}

export function eventItem(id: string, change: Partial<EventItem> = {}): EventItem {
  return {
    type: 'event',
    id,
    entity: 'default/olt/a/onu/0/1/2/3',
    kind: 'onu',
    root: 'default/olt/a',
    site: 'RJO',
    name: null,
    serial: null,
    description: null,
    event: 'dying_gasp',
    event_type: 'device.disconnected',
    phase: 'raise',
    severity: 'minor',
    at: '2026-11-21T10:00:00.000Z',
    received_at: '2026-11-21T10:00:00.004Z',
    state: null,
    previous: null,
    cause: null,
    cause_raw: null,
    detail: null,
    trap_oid: null,
    source: 'trap',
    position: null,
    ...change,
  }
}

export function opticsItem(change: Partial<Optics> = {}): Optics {
  return {
    rx_dbm: -19.5,
    tx_dbm: 2.3,
    olt_rx_dbm: -21.2,
    temperature_c: 45,
    voltage_v: 3.3,
    bias_ma: 11,
    distance_m: 2_345,
    level: 'good',
    observed_at: '2026-11-21T10:00:00.000Z',
    ...change,
  }
}

export function pollItem(change: Partial<Poll> = {}): Poll {
  return {
    last_good_at: '2026-11-21T10:00:00.000Z',
    took_ms: 840,
    failing_since: null,
    class: null,
    detail: null,
    in_a_row: 0,
    firmware: 'MA5800V100R022C00 SPH202',
    security: 'curve25519-sha256, ssh-ed25519',
    legacy: false,
    rows_refused: 0,
    ...change,
  }
}

export function countsOf(change: Partial<Counts> = {}): Counts {
  return {
    onus: 0,
    online: 0,
    offline: 0,
    absent: 0,
    unknown: 0,
    power: 0,
    fibre: 0,
    admin: 0,
    reset: 0,
    rogue: 0,
    other: 0,
    cause_unknown: 0,
    ...change,
  }
}

export function summaryItem(site: string | null, onus: number): SummaryItem {
  return {
    type: 'summary',
    scope: site === null ? 'all' : 'site',
    site,
    counts: countsOf({ onus, online: onus }),
    olts: 1,
    boards: 1,
    pons: 1,
    pons_down: 0,
    boards_failed: 0,
  }
}

export function alarmItem(id: string, change: Partial<AlarmItem> = {}): AlarmItem {
  return {
    type: 'alarm',
    alarm_id: id,
    entity: 'default/olt/a/onu/0/1/2/3',
    root: 'default/olt/a',
    kind: 'onu',
    site: 'RJO',
    name: null,
    serial: null,
    alarm_type: 'onu-rx-low',
    qualifier: '',
    origin: 'rule',
    rule_id: 'onu-rx-low',
    rule_version: 1,
    rule_name: 'Weak light',
    severity: 'minor',
    condition: 'raised',
    operator_state: 'none',
    visibility: 'shown',
    text: 'weak light',
    reason: {
      word: 'below',
      measure: 'onu_rx_power',
      value: -28.1,
      unit: 'dBm',
      limit: -27,
      observed_at: null,
      held_s: 60,
      state: null,
      cause: null,
      detail: null,
    },
    raised_at: '2026-11-21T10:00:00.000Z',
    cleared_at: null,
    changed_at: '2026-11-21T10:00:00.000Z',
    acknowledged_at: null,
    acknowledged_by: null,
    silenced_until: null,
    silence_id: null,
    comments: [],
    incident_id: null,
    reopened: 0,
    is_old: false,
    raise_position: null,
    position: null,
    ...change,
  }
}

export function incidentItem(id: string, change: Partial<IncidentItem> = {}): IncidentItem {
  return {
    type: 'incident',
    incident_id: id,
    root: 'default/olt/a',
    entity: 'default/olt/a/pon/0/1/2',
    site: 'RJO',
    state: 'open',
    verdict: 'feeder',
    confidence: 0.9,
    severity: 'critical',
    text: 'all dark',
    lost: 10,
    still_lost: 10,
    total: 10,
    gasps: 0,
    dark: 10,
    began_at: '2026-11-21T10:00:00.000Z',
    ended_at: null,
    changed_at: '2026-11-21T10:00:00.000Z',
    affected: [],
    affected_more: 0,
    pons: [],
    position: null,
    ...change,
  }
}

export function ruleItem(change: Partial<RuleItem> = {}): RuleItem {
  return {
    rule_id: 'r',
    version: 1,
    at: '2026-11-21T10:00:00.000Z',
    author: 'atalaia',
    removed: false,
    enabled: true,
    name: 'Weak light',
    description: null,
    severity: 'major',
    condition: 'below',
    measure: 'onu_rx_power',
    low: -27,
    high: null,
    window_s: null,
    states: [],
    causes: [],
    dead_band: 0.5,
    raise_after_s: 60,
    clear_after_s: 60,
    reraise_after_s: 300,
    message: '{measure} {value}',
    scope: NO_SCOPE,
    flap: null,
    ...change,
  }
}
