// @vitest-environment happy-dom
import { expect, it } from 'vitest'
import { alarmPath, devicePath, incidentPath, parseRoute, rulePath, sitePath } from './router'

it.each([
  ['/', { page: 'board', entity: null }],
  ['/network/default/olt/a', { page: 'board', entity: 'default/olt/a' }],
  [devicePath('default/padtec/n/card/ROA1#3 x'), { page: 'device', id: 'default/padtec/n/card/ROA1#3 x' }],
  ['/alarms', { page: 'alarms', tab: 'active', alarm: null, incident: null }],
  [alarmPath('9f2c'), { page: 'alarms', tab: 'active', alarm: '9f2c', incident: null }],
  [alarmPath(null, 'history'), { page: 'alarms', tab: 'history', alarm: null, incident: null }],
  [alarmPath('9f2c', 'history'), { page: 'alarms', tab: 'history', alarm: '9f2c', incident: null }],
  [incidentPath('51d0'), { page: 'alarms', tab: 'active', alarm: null, incident: '51d0' }],
  [rulePath(null), { page: 'rules', rule: null }],
  [rulePath('atalaia-osnr-low'), { page: 'rules', rule: 'atalaia-osnr-low' }],
  ['/silences', { page: 'silences' }],
  ['/silences/x', { page: 'missing', path: '/silences/x' }],
  [sitePath(null), { page: 'sites', site: null }],
  [sitePath('04 - POP/A?#'), { page: 'sites', site: '04 - POP/A?#' }],
  ['/incidents', { page: 'missing', path: '/incidents' }],
  ['/%E0%A4%A', { page: 'missing', path: '/%E0%A4%A' }],
])('%s leads to %j', (path, route) => {
  expect(parseRoute(path)).toEqual(route)
})
