import { describe, expect, it } from 'vitest'
import { toneOf } from '../ui/tone'
import { compareIds, parentOf, parseEntity, pathTo } from './entity'
import { formats, vendorName } from './format'
import { fold, inert } from './text'

describe('formats', () => {
  const pt = formats('pt-BR')
  const en = formats('en-GB')
  const SECOND = 1_000
  const HOUR = 3_600 * SECOND

  it.each([
    [0, '0%'],
    [1, '100%'],
    [0.99996, '99.9%'],
    [0.00004, '0.1%'],
    [0.948, '94.8%'],
    [Number.NaN, '—'],
  ])('a share of %s is %s: nearly all is not all', (share, expected) => {
    expect(en.percent(share)).toBe(expected)
  })

  it.each([
    [0, '0 s', '0s'],
    [59_999, '59 s', '59s'],
    [60_000, '1 min', '1m'],
    [3_725_000, '1 h 2 min', '1h'],
    [50 * HOUR, '2 d 2 h', '2d'],
    [-5_000, '0 s', '0s'],
  ])('%s ms is %s, short %s', (ms, long, short) => {
    expect([en.duration(ms), en.age(ms)]).toEqual([long, short])
  })

  it('write as the language does', () => {
    expect([en.number(12_345), pt.number(12_345)]).toEqual(['12,345', '12.345'])
    expect(pt.percent(0.948)).toBe('94,8%')
    expect(pt.ago(0, 3 * 60_000)).toContain('3 min')
    expect(en.instant('nonsense')).toBe('—')
  })
})

describe('an entity', () => {
  it.each([
    ['default/olt/rjo-01', 'olt', '', null],
    ['default/olt/rjo-01/board/0/3', 'board', '0/3', 'default/olt/rjo-01'],
    ['default/olt/rjo-01/pon/0/3/5', 'pon', '0/3/5', 'default/olt/rjo-01/board/0/3'],
    ['default/olt/rjo-01/onu/0/3/5/17', 'onu', '0/3/5/17', 'default/olt/rjo-01/pon/0/3/5'],
    ['t/padtec/nms-1/card/ROA1-HA#374', 'card', 'ROA1-HA#374', 't/padtec/nms-1'],
    ['default/unknown/192.0.2.7', 'unknown', '', null],
  ])('%s', (id, kind, place, parent) => {
    expect(parseEntity(id)).toMatchObject({ kind, place })
    expect(parentOf(id)).toBe(parent)
  })

  it('knows its way down', () => {
    expect(pathTo('d/olt/a/onu/0/3/5/17').map(id => parseEntity(id).kind)).toEqual(['olt', 'board', 'pon', 'onu'])
  })

  it('sorts as a person counts', () => {
    expect(['pon/0/1/10', 'pon/0/1/9', 'pon/0/0/15'].sort(compareIds)).toEqual([
      'pon/0/0/15',
      'pon/0/1/9',
      'pon/0/1/10',
    ])
  })
})

describe('a tone', () => {
  it.each([
    ['failed', 'other', 'fault'],
    ['down', 'other', 'fault'],
    ['offline', 'other', 'other'],
    ['down', 'fibre', 'fibre'],
    ['failed', null, 'fault'],
    ['normal', null, 'ok'],
  ] as const)('of %s by %s is %s', (state, cause, tone) => {
    expect(toneOf(state, cause)).toBe(tone)
  })
})

describe('what people type', () => {
  it('needs no accents and no case', () => {
    expect(fold('Conceição MUÑOZ')).toBe('conceicao munoz')
  })
})

describe('a vendor', () => {
  it('is written as it writes itself', () => {
    expect([vendorName('huawei'), vendorName(null)]).toEqual(['Huawei', null])
  })
})

describe('text of a device', () => {
  it.each([
    ['plain, ação – 日本', 'plain, ação – 日本'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['a\u0000b\nc\u007f', 'a\\x00b\\x0ac\\x7f'],
    ['safe\u202Etxt.exe', 'safe\\u202etxt.exe'],
    ['zero\u200Bwidth\uFEFF', 'zero\\u200bwidth\\ufeff'],
    ['\u2028', '\\u2028'],
    ['<b>bold</b>', '<b>bold</b>'],
    [null, ''],
  ])('%j is shown as %j', (text, expected) => {
    expect(inert(text)).toBe(expected)
  })

  it('is cut', () => {
    expect(inert('x'.repeat(100_000))).toHaveLength(513)
  })
})
