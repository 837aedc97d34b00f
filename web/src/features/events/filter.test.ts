import { describe, expect, it } from 'vitest'
import { eventItem } from '../../lib/fixtures'
import { isWithin, matchesFilter, NO_FILTER } from './filter'

const OLT = 'default/olt/a'

describe('within', () => {
  it.each([
    [`${OLT}/onu/0/1/2/3`, OLT, true],
    [`${OLT}/onu/0/1/2/3`, `${OLT}/board/0/1`, true],
    [`${OLT}/onu/0/1/2/3`, `${OLT}/pon/0/1/2`, true],
    [`${OLT}/pon/0/1/2`, `${OLT}/pon/0/1/2`, true],
    [`${OLT}/onu/0/1/20/3`, `${OLT}/pon/0/1/2`, false],
    [`${OLT}/board/0/1`, `${OLT}/pon/0/1/2`, false],
    [`${OLT}2/onu/0/1/2/3`, OLT, false],
    ['other/olt/a/onu/0/1/2/3', `${OLT}/pon/0/1/2`, false],
    [`${OLT}/onu/0/1/2/30`, `${OLT}/onu/0/1/2/3`, false],
  ])('%s is below %s: %s', (entity, within, expected) => {
    expect(isWithin(entity, within)).toBe(expected)
  })
})

describe('a filter', () => {
  const item = eventItem('a', { cause: 'power', severity: 'minor', kind: 'onu' })
  it.each([
    [NO_FILTER, true],
    [{ ...NO_FILTER, kind: 'onu', cause: 'power', severity: 'minor' }, true],
    [{ ...NO_FILTER, kind: 'pon' }, false],
    [{ ...NO_FILTER, cause: 'fibre' }, false],
    [{ ...NO_FILTER, severity: 'critical' }, false],
  ])('%j: %s', (filter, expected) => {
    expect(matchesFilter(item, filter, null)).toBe(expected)
  })
})
