import { describe, expect, it } from 'vitest'
import { alarmItem, incidentItem } from '../lib/fixtures'
import type { AlarmItem } from '../protocol/alarms'
import { Held } from './held'
import { LiveStore } from './store'

const held = () => {
  const changed: string[] = []
  const alarms = new Held<AlarmItem>(
    item => item.alarm_id,
    item => item.condition !== 'cleared',
    key => changed.push(key),
  )
  return { alarms, changed }
}
const ids = (of: Held<AlarmItem>) =>
  of
    .all()
    .map(each => each.alarm_id)
    .sort()

describe('what is raised', () => {
  it('is what the last snapshot said and the changes since', () => {
    const { alarms } = held()
    alarms.snapshot('a', true, false, [alarmItem('1'), alarmItem('2')])
    alarms.put(['a'], alarmItem('9'))
    alarms.snapshot('a', false, true, [alarmItem('3')])
    expect(ids(alarms)).toEqual(['1', '2', '3', '9'])
    alarms.snapshot('a', true, true, [alarmItem('3')])
    expect(ids(alarms)).toEqual(['3'])
  })

  it('goes when it clears, and is still known by its id', () => {
    const { alarms, changed } = held()
    alarms.snapshot('a', true, true, [alarmItem('1'), alarmItem('2')])
    alarms.put(['a'], alarmItem('1', { condition: 'cleared' }))
    expect(ids(alarms)).toEqual(['2'])
    expect(alarms.get('1')?.condition).toBe('cleared')
    expect(changed.at(-1)).toBe('1')
    alarms.put(['a'], alarmItem('1', { reopened: 1 }))
    expect(ids(alarms)).toEqual(['1', '2'])
    expect(alarms.get('1')?.reopened).toBe(1)
  })

  it('clears while a snapshot is under way: the rest of the snapshot does not bring it back', () => {
    const { alarms } = held()
    alarms.snapshot('a', true, false, [alarmItem('1')])
    alarms.put(['a'], alarmItem('1', { condition: 'cleared' }))
    alarms.snapshot('a', false, true, [alarmItem('2')])
    expect(ids(alarms)).toEqual(['2'])
  })

  it('stays while another subscription holds it', () => {
    const { alarms } = held()
    alarms.snapshot('a', true, true, [alarmItem('1')])
    alarms.snapshot('b', true, true, [alarmItem('1')])
    alarms.close('a')
    expect(ids(alarms)).toEqual(['1'])
    alarms.remove(['b'], '1')
    expect(ids(alarms)).toEqual([])
  })

  it('remembers only so many that are gone', () => {
    const { alarms } = held()
    for (let i = 0; i < 2_000; i += 1) alarms.put(['a'], alarmItem(String(i), { condition: 'cleared' }))
    expect(alarms.get('0')).toBeUndefined()
    expect(alarms.get('1999')).toBeDefined()
  })

  it('is one list until it changes', () => {
    const { alarms } = held()
    alarms.snapshot('a', true, true, [alarmItem('1')])
    const before = alarms.all()
    expect(alarms.all()).toBe(before)
    alarms.put(['a'], alarmItem('2'))
    expect(alarms.all()).not.toBe(before)
  })
})

describe('the live store', () => {
  it('after a snapshot and any changes has what a fresh snapshot would give', () => {
    const live = new LiveStore(run => run())
    live.open('al')
    live.open('in')
    const rows = new Map([['1', alarmItem('1')]])
    live.snapshot('al', 1, true, [...rows.values()])
    live.snapshot('in', 1, true, [incidentItem('i')])
    let seed = 7
    const roll = (n: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % n
    }
    for (let step = 0; step < 3_000; step += 1) {
      const id = String(roll(40))
      const cleared = roll(3) === 0
      const item = alarmItem(id, { condition: cleared ? 'cleared' : 'raised', reopened: step })
      if (cleared) rows.delete(id)
      else rows.set(id, item)
      live.delta([{ ids: ['al'], item }])
    }
    const byId = (a: AlarmItem, b: AlarmItem) => (a.alarm_id < b.alarm_id ? -1 : 1)
    expect([...live.alarms.all()].sort(byId)).toEqual([...rows.values()].sort(byId))
    live.delta([{ ids: ['in'], item: incidentItem('i', { state: 'closed' }) }])
    expect(live.incidents.all()).toEqual([])
    live.delta([{ ids: ['al'], item: { type: 'removed', alarm_id: [...rows.keys()][0] ?? '' } }])
    expect(live.alarms.all()).toHaveLength(rows.size - 1)
    live.close('al')
    expect(live.alarms.all()).toEqual([])
  })
})
