// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest'
import { messages } from '../../i18n'
import { alarmItem, ruleItem } from '../../lib/fixtures'
import { formats } from '../../lib/format'
import {
  ACTS,
  CONDITIONS,
  INCIDENT_STATES,
  NO_SCOPE,
  OPERATOR_STATES,
  REASONS,
  REFUSALS,
  type RuleItem,
  TRANSITIONS,
  VERDICTS,
  VISIBILITIES,
} from '../../protocol/alarms'
import { conditionWords, limitWords, measureWords, reasonWords, scopeWords, unitOf, valueWords } from './words'

const { en, pt } = messages
const f = formats('en-GB')
const g = formats('pt-BR')

describe('a rule in words', () => {
  it.each<[Partial<RuleItem>, string | null, string]>([
    [{ clear_after_s: 0 }, null, 'ONU Rx power below −27 for 1 min, dead band 0.5'],
    [{}, 'dBm', 'ONU Rx power below −27 dBm for 1 min, dead band 0.5 dB, clears after 1 min'],
    [
      { condition: 'outside', low: -27.5, high: -8, clear_after_s: 0, raise_after_s: 0 },
      'dBm',
      'ONU Rx power outside −27.5 dBm to −8 dBm, dead band 0.5 dB',
    ],
    [
      { condition: 'rate', low: -3, window_s: 3_600, raise_after_s: 0, clear_after_s: 0, dead_band: 0 },
      'dBm',
      'ONU Rx power falls by 3 dB within 1 h',
    ],
    [
      { condition: 'slope', low: -0.2, high: 0.2, window_s: 259_200, raise_after_s: 0, clear_after_s: 0, dead_band: 0 },
      null,
      'ONU Rx power falls by 0.2 or rises by 0.2 a day, over 3 d',
    ],
    [
      { condition: 'state', states: ['offline', 'melted'], causes: ['fibre'], measure: null, clear_after_s: 0 },
      null,
      'state is Offline or melted by Fibre for 1 min',
    ],
    [{ condition: 'no_data', measure: null, raise_after_s: 0, clear_after_s: 0 }, null, 'nothing measured any more'],
    [{ condition: 'entropy', raise_after_s: 0, clear_after_s: 0 }, null, 'entropy · ONU Rx power'],
  ])('%j', (change, unit, expected) => {
    expect(conditionWords(en, f, ruleItem(change), unit)).toBe(expected)
  })

  it('says the states of a card in the gender of cards', () => {
    const rule = ruleItem({ condition: 'state', states: ['down'], raise_after_s: 0, clear_after_s: 0 })
    expect(conditionWords(pt, g, rule)).toBe('estado Inativa')
    expect(conditionWords(pt, g, { ...rule, scope: { ...NO_SCOPE, kind: 'card' } })).toBe('estado Inativo')
  })

  it('is said in Portuguese with its comma', () => {
    expect(conditionWords(pt, g, ruleItem({ low: -27.5, clear_after_s: 0 }), 'dBm')).toBe(
      'Potência Rx da ONU abaixo de −27,5 dBm por 1 min, banda morta 0,5 dB',
    )
  })
})

describe('numbers', () => {
  it.each([
    [-28.104, 'dBm', '−28.10 dBm'],
    [180.44, 'mW', '180.4 mW'],
    [7_890, 'm', '7,890 m'],
    [45.5, 'Cel', '45.50 °C'],
    [3, '', '3.00'],
    [0.0012, '1', '1.20e−3'],
    [0, '1', '0.00'],
    [null, 'dBm', '—'],
    [Number.NaN, 'dBm', '—'],
  ])('%s %s is %s', (value, unit, expected) => {
    expect(valueWords(f, value, unit)).toBe(expected)
  })

  it.each([
    [-27, '−27'],
    [0.5, '0.5'],
    [0.25, '0.25'],
  ])('the limit %s is %s: no digits that nobody set', (value, expected) => {
    expect(limitWords(f, value, null)).toBe(expected)
  })

  it('have units that are text', () => {
    expect(unitOf('constructor')).toBe('constructor')
    expect(unitOf('\u001b[31m')).toBe('\\x1b[31m')
  })
})

it('a reason says its numbers', () => {
  expect(reasonWords(en, f, alarmItem('x').reason)).toBe(
    'Below the limit · ONU Rx power −28.10 dBm · limit −27 dBm · held for 1 min',
  )
})

it('a measure without a word is shown readable', () => {
  expect(measureWords(en, 'raman_pump_2_power')).toBe('Raman pump 2 power')
  expect(measureWords(en, 'toString')).toBe('ToString')
})

it('a scope says what it fits', () => {
  expect(scopeWords(en, { ...NO_SCOPE, kind: 'card', family: 'EDFA' })).toBe('Kind Card · Family EDFA')
  expect(scopeWords(en, NO_SCOPE)).toBe('Everything')
})

it.each([
  ['conditions', CONDITIONS, (m: typeof en) => m.rules.conditions],
  ['condition hints', CONDITIONS, (m: typeof en) => m.rules.conditionHints],
  ['verdicts', VERDICTS, (m: typeof en) => m.alarms.verdicts],
  ['verdict sentences', VERDICTS, (m: typeof en) => m.alarms.verdictSentences],
  ['visibilities', VISIBILITIES, (m: typeof en) => m.alarms.visibility],
  ['operator states', OPERATOR_STATES, (m: typeof en) => m.alarms.operator],
  ['states of incidents', INCIDENT_STATES, (m: typeof en) => m.alarms.incidentStates],
  ['reasons', REASONS, (m: typeof en) => m.alarms.reasons],
  ['reason sentences', REASONS, (m: typeof en) => m.alarms.reasonSentences],
  ['transitions', TRANSITIONS, (m: typeof en) => m.alarms.transitions],
  ['refusals', REFUSALS, (m: typeof en) => m.alarms.refusals],
  ['acts', ACTS, (m: typeof en) => m.alarms.acts],
])('both languages have a word for each of the %s', (_, set, words) => {
  for (const m of [en, pt]) expect(Object.keys(words(m)).sort()).toEqual([...set].sort())
})
