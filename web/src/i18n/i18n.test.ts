// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest'
import { FAILURES } from '../features/polling/health'
import { eventItem } from '../lib/fixtures'
import { CAUSES, KINDS, LEVELS, SEVERITIES, STATES } from '../protocol/types'
import { eventWords, firstLanguage, messages, word } from '.'

const { en, pt } = messages

/** Every path to a word, with what is there. */
function leaves(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string' || typeof value === 'function') return [[path, typeof value]]
  return Object.entries(value as object).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
}

describe('the languages', () => {
  it('have the same words, also where the type cannot see it', () => {
    expect(leaves(pt)).toEqual(leaves(en))
  })

  it('leave no word empty', () => {
    for (const messages of [en, pt])
      for (const [path] of leaves(messages)) {
        const value = path
          .split('.')
          .slice(1)
          .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], messages)
        if (typeof value === 'string') expect(value.trim(), path).not.toBe('')
      }
  })

  it.each([
    ['kinds', KINDS],
    ['states', STATES],
    ['causes', CAUSES],
    ['causeSentences', CAUSES],
    ['severities', SEVERITIES],
  ] as const)('have a word for each of %s', (set, words) => {
    for (const messages of [en, pt]) expect(Object.keys(messages[set]).sort()).toEqual([...words].sort())
  })

  it('have a word for each level of light and each failure of a reading', () => {
    for (const messages of [en, pt]) {
      expect(Object.keys(messages.light.levels).sort()).toEqual([...LEVELS].sort())
      expect(Object.keys(messages.polling.failures).sort()).toEqual([...FAILURES].sort())
    }
  })

  it('count in the plural', () => {
    expect([en.stream.newer(1), en.stream.newer(1200)]).toEqual(['1 new event', '1,200 new events'])
    expect([pt.stream.newer(1), pt.stream.newer(1200)]).toEqual(['1 evento novo', '1.200 eventos novos'])
    expect(pt.device.outages(0)).toBe('0 queda')
  })
})

describe('words', () => {
  it('of a newer server are shown as they are, and never looked up in the prototype', () => {
    expect(word(en.states, 'melted')).toBe('melted')
    expect(word(en.states, 'constructor')).toBe('constructor')
    expect(word(en.states, null)).toBe('')
  })

  it.each([
    ['dying_gasp', 'raise', 'Dying gasp', 'Dying gasp'],
    ['dying_gasp', 'clear', 'Power is back', 'Energia de volta'],
    ['cold_start', 'event', 'Started cold', 'Partida a frio'],
    ['new_thing', 'raise', 'New thing', 'New thing'],
    ['ont_port_vlan_cfg', 'event', 'ONU port VLAN cfg', 'ONU port VLAN cfg'],
    ['new_thing', 'clear', 'New thing · ended', 'New thing · terminou'],
    ['toString', 'raise', 'ToString', 'ToString'],
  ] as const)('of the event %s %s', (event, phase, english, portuguese) => {
    const item = eventItem('a', { event, phase })
    expect([eventWords(en, item), eventWords(pt, item)]).toEqual([english, portuguese])
  })
})

it.each([
  [null, ['pt-BR', 'en'], 'pt'],
  [null, ['de', 'en-GB'], 'en'],
  [null, ['de'], 'en'],
  [null, [], 'en'],
  ['pt', ['en'], 'pt'],
  ['xx', ['pt'], 'pt'],
] as const)('the first language of %s and %s', (chosen, wanted, expected) => {
  expect(firstLanguage(chosen, wanted)).toBe(expected)
})
