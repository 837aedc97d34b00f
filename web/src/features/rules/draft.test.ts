import { describe, expect, it } from 'vitest'
import { ruleItem } from '../../lib/fixtures'
import { checkDraft, type Draft, draftOf, NEW_DRAFT, NEW_FLAP, numberOf, unknownPlaces } from './draft'

const good: Draft = { ...NEW_DRAFT, name: 'Weak light', low: '-27' }
const check = (change: Partial<Draft>) => checkDraft({ ...good, ...change }).problems

describe('a draft', () => {
  it('that is sound has no problems', () => {
    expect(check({})).toEqual({})
  })

  it.each<[Partial<Draft>, string, string]>([
    [{ name: '  ' }, 'name', 'needed'],
    [{ low: '' }, 'low', 'needed'],
    [{ low: 'abc' }, 'low', 'number'],
    [{ low: '1e5' }, 'low', 'number'],
    [{ measure: '' }, 'measure', 'needed'],
    [{ measure: 'Rx Power' }, 'measure', 'measure'],
    [{ condition: 'outside', low: '-8', high: '-27' }, 'high', 'order'],
    [{ condition: 'outside', low: '0', high: '1', dead_band: '0.6' }, 'dead_band', 'band_too_wide'],
    [{ condition: 'rate', low: '', high: '' }, 'low', 'one_of_two'],
    [{ condition: 'rate', low: '3' }, 'low', 'below_zero'],
    [{ condition: 'slope', low: '', high: '-3' }, 'high', 'above_zero'],
    [{ condition: 'rate', low: '-3', window_s: '59' }, 'window_s', 'too_short'],
    [{ condition: 'slope', low: '-3', window_s: '60' }, 'window_s', 'too_short'],
    [{ condition: 'rate', low: '-3', dead_band: '3' }, 'dead_band', 'band_too_wide'],
    [{ name: 'ã'.repeat(65) }, 'name', 'long'],
    [{ condition: 'state', states: [] }, 'states', 'needed'],
    [{ dead_band: '-1' }, 'dead_band', 'not_negative'],
    [{ raise_after_s: '1.5' }, 'raise_after_s', 'whole'],
    [{ raise_after_s: '-1' }, 'raise_after_s', 'not_negative'],
    [{ clear_after_s: '604801' }, 'clear_after_s', 'too_long'],
    [{ severity: 'awful' }, 'severity', 'choose'],
    [{ message: 'see {password}' }, 'message', 'places'],
    [{ flap: { ...NEW_FLAP, penalty: '4500' } }, 'flap.penalty', 'penalty'],
    [{ flap: { ...NEW_FLAP, reuse: '9000' } }, 'flap.reuse', 'reuse'],
    [{ flap: { ...NEW_FLAP, half_life_s: '' } }, 'flap.half_life_s', 'needed'],
  ])('%j: %s is %s', (change, field, problem) => {
    expect(check(change)[field]).toBe(problem)
  })

  it('sends only what its condition needs', () => {
    const { fields, problems } = checkDraft({
      ...good,
      condition: 'state',
      states: ['offline'],
      low: '-27',
      high: 'nonsense',
    })
    expect(problems).toEqual({})
    expect(fields).toMatchObject({ measure: null, low: null, high: null, window_s: null, dead_band: 0 })
  })

  it('gives back the rule it was made of', () => {
    const rule = ruleItem({ scope: { ...ruleItem().scope, kind: 'onu', site: 'RJO' } })
    const { version: _v, at: _a, author: _u, removed: _r, ...fields } = rule
    expect(checkDraft(draftOf(rule))).toEqual({ fields, problems: {} })
  })
})

it.each([
  ['', null],
  [' -27,5 ', -27.5],
  ['−27', -27],
  ['.5', 0.5],
  ['5.', 5],
  ['0x10', Number.NaN],
  ['1,2,3', Number.NaN],
])('"%s" is the number %s', (written, expected) => {
  expect(numberOf(written)).toBe(expected)
})

it('only known words stand in braces', () => {
  expect(unknownPlaces('{entity} {nope} {value} {}')).toEqual(['nope', ''])
})
