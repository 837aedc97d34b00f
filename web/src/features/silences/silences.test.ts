// @vitest-environment happy-dom
import { expect, it } from 'vitest'
import { alarmItem } from '../../lib/fixtures'
import { fitsPattern, wouldQuiet } from './pattern'

it.each([
  ['default/olt/rjo-*', 'default/olt/rjo-01/onu/0/1/2/3', true],
  ['*/onu/0/1/*', 'default/olt/a/onu/0/1/2/3', true],
  ['default/olt/a', 'default/olt/a/onu/0/1/2/3', false],
  ['default/olt/a.b', 'default/olt/axb', false],
  ['*', 'anything\nat all', true],
  ['', '', true],
])('the pattern %s fits %s: %s', (pattern, text, expected) => {
  expect(fitsPattern(pattern, text)).toBe(expected)
})

it('a silence covers what all its words fit', () => {
  const none = { tenant: '', kind: '', vendor: '', family: '', model: '', site: '', entity: '' }
  const alarms = [alarmItem('1'), alarmItem('2', { site: 'SAO' }), alarmItem('3', { alarm_type: 'no-data' })]
  expect(wouldQuiet(alarms, none, '')).toBe(3)
  expect(wouldQuiet(alarms, { ...none, site: 'RJO' }, '')).toBe(2)
  expect(wouldQuiet(alarms, { ...none, site: 'RJO', kind: 'onu', entity: '*/onu/*' }, 'no-data')).toBe(1)
  expect(wouldQuiet(alarms, { ...none, tenant: 'other' }, '')).toBe(0)
})
