import { describe, expect, it } from 'vitest'
import { alarmItem, incidentItem } from '../../lib/fixtures'
import { type AlarmFilter, foldAlarms, NO_ALARM_FILTER, openSymptoms, severityRank, standing } from './model'

const at = (minute: number) => `2026-11-21T10:${String(minute).padStart(2, '0')}:00.000Z`
const keys = (
  alarms: Parameters<typeof foldAlarms>[0],
  incidents: Parameters<typeof foldAlarms>[1] = [],
  filter: Partial<AlarmFilter> = {},
  opened: string[] = [],
) =>
  foldAlarms(alarms, incidents, { ...NO_ALARM_FILTER, ...filter }, 'severity', new Set(opened)).rows.map(row => row.key)

describe('the list', () => {
  it('has incidents on top with their symptoms folded, and unfolds them', () => {
    const alarms = [
      alarmItem('s1', { incident_id: 'i', visibility: 'inhibited', entity: 'default/olt/a/onu/0/1/2/10' }),
      alarmItem('s2', { incident_id: 'i', visibility: 'inhibited', entity: 'default/olt/a/onu/0/1/2/9' }),
      alarmItem('x', { severity: 'warning' }),
    ]
    expect(keys(alarms, [incidentItem('i')])).toEqual(['title incidents', 'incident i', 'title alarms', 'x'])
    expect(keys(alarms, [incidentItem('i')], {}, ['i'])).toEqual([
      'title incidents',
      'incident i',
      's2',
      's1',
      'title alarms',
      'x',
    ])
  })

  it('never loses an alarm whose incident is not known', () => {
    expect(keys([alarmItem('s', { incident_id: 'gone' })])).toEqual(['title alarms', 's'])
  })

  it('is sorted by severity, the newest first, words of a newer server last', () => {
    const alarms = [
      alarmItem('old', { severity: 'major', raised_at: at(1) }),
      alarmItem('odd', { severity: 'catastrophic' }),
      alarmItem('new', { severity: 'major', raised_at: at(9) }),
      alarmItem('worst', { severity: 'critical', raised_at: at(0) }),
    ]
    expect(keys(alarms)).toEqual(['title alarms', 'worst', 'new', 'old', 'odd'])
    expect(severityRank('catastrophic')).toBe(5)
  })

  it.each<[Partial<AlarmFilter>, string[]]>([
    [{}, ['a', 'ack']],
    [{ operator: 'open' }, ['a']],
    [{ operator: 'acknowledged' }, ['ack']],
    [{ operator: 'closed' }, ['closed']],
    [{ visibility: 'silenced' }, ['quiet']],
    [{ visibility: null }, ['a', 'ack', 'quiet']],
    [{ site: 'SAO' }, ['ack']],
    [{ severities: ['major'] }, ['ack']],
    [{ text: 'CONCEICAO' }, ['a']],
    [{ text: 'light 0/1/2/3' }, ['a', 'ack']],
    [{ text: 'nothing' }, []],
  ])('filtered by %j has %j', (filter, expected) => {
    const alarms = [
      alarmItem('a', { name: 'Conceição' }),
      alarmItem('ack', { operator_state: 'acknowledged', site: 'SAO', severity: 'major' }),
      alarmItem('quiet', { visibility: 'silenced' }),
      alarmItem('closed', { operator_state: 'closed' }),
    ]
    expect(
      keys(alarms, [], filter)
        .filter(key => !key.startsWith('title'))
        .sort(),
    ).toEqual(expected)
  })

  it('says what its visibility hides, and counts severities before they are chosen', () => {
    const alarms = [
      alarmItem('a', { severity: 'major' }),
      alarmItem('b', { visibility: 'silenced' }),
      alarmItem('c', { visibility: 'inhibited' }),
    ]
    const folded = foldAlarms(alarms, [], { ...NO_ALARM_FILTER, severities: ['minor'] }, 'severity', new Set())
    expect([...folded.hidden]).toEqual([
      ['silenced', 1],
      ['inhibited', 1],
    ])
    expect([...folded.bySeverity]).toEqual([['major', 1]])
    expect(folded.alarms).toBe(0)
  })

  it('finds an incident by the words of its symptoms', () => {
    const alarms = [alarmItem('s', { incident_id: 'i', serial: 'HWTC1234' })]
    expect(keys(alarms, [incidentItem('i')], { text: 'hwtc1234' })).toContain('incident i')
    expect(keys(alarms, [incidentItem('i')], { text: 'zte' })).toEqual([])
  })

  it('is made of 10,000 alarms in a moment', () => {
    const alarms = Array.from({ length: 10_000 }, (_, i) =>
      alarmItem(String(i), { raised_at: at(i % 60), severity: ['critical', 'minor', 'major'][i % 3] ?? 'minor' }),
    )
    const began = performance.now()
    const folded = foldAlarms(alarms, [], NO_ALARM_FILTER, 'severity', new Set())
    expect(folded.alarms).toBe(10_000)
    // A bound against the square of it, not a measurement.
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})

it('what stands counts incidents, and alarms that are neither symptoms nor acknowledged nor hidden', () => {
  const alarms = [
    alarmItem('a', { severity: 'major' }),
    alarmItem('b', { operator_state: 'acknowledged' }),
    alarmItem('c', { visibility: 'silenced', severity: 'critical' }),
    alarmItem('d', { incident_id: 'i', severity: 'critical' }),
    alarmItem('e', { incident_id: 'unknown' }),
  ]
  expect(standing(alarms, [incidentItem('i', { severity: 'minor' })])).toEqual({
    incidents: 1,
    alarms: 2,
    worst: 'major',
  })
  const done = alarmItem('x', { incident_id: 'i', operator_state: 'acknowledged' })
  expect(standing([done], [incidentItem('i'), incidentItem('j')])).toMatchObject({ incidents: 1 })
  expect(openSymptoms([...alarms, done], 'i').map(alarm => alarm.alarm_id)).toEqual(['d'])
  expect(standing([], [])).toEqual({ incidents: 0, alarms: 0, worst: null })
})
