import { describe, expect, it } from 'vitest'
import { toneOf } from '../ui/tone'
import { compareIds, parentOf, parseEntity, pathTo } from './entity'
import { formats, vendorName } from './format'
import { fold, inert, plainSerial } from './text'

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

  it.each([
    [-21.94, 1, '−21.9', '−21,9'],
    [-27, 0, '−27', '−27'],
    [-0.04, 1, '0.0', '0,0'],
    [3.309, 2, '3.31', '3,31'],
    [1_234.5, 1, '1,234.5', '1.234,5'],
    [Number.NaN, 1, '—', '—'],
    [Number.POSITIVE_INFINITY, 1, '—', '—'],
  ])('%s with %s digits is %s, in Portuguese %s', (n, digits, english, portuguese) => {
    expect([en.decimal(n, digits), pt.decimal(n, digits)]).toEqual([english, portuguese])
  })

  it.each([
    [0, '0 m'],
    [983, '983 m'],
    [999, '999 m'],
    [1_000, '1.00 km'],
    [12_345, '12.35 km'],
  ])('%s metres are %s', (metres, expected) => {
    expect(en.distance(metres)).toBe(expected)
  })

  it.each([
    [-3, '< 1 ms'],
    [0, '< 1 ms'],
    [1, '1 ms'],
    [840, '840 ms'],
    [999.6, '1.0 s'],
    [1_430, '1.4 s'],
    [59_960, '60.0 s'],
    [125_000, '2 min 5 s'],
  ])('work of %s ms took %s', (ms, expected) => {
    expect(en.took(ms)).toBe(expected)
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
    ['unreachable', null, 'blind'],
    ['unreachable', 'other', 'blind'],
    ['absent', null, 'absent'],
  ] as const)('of %s by %s is %s', (state, cause, tone) => {
    expect(toneOf(state, cause)).toBe(tone)
  })
})

describe('what people type', () => {
  it('needs no accents and no case', () => {
    expect(fold('Conceição MUÑOZ')).toBe('conceicao munoz')
  })
})

describe('a serial', () => {
  it.each([
    ['48575443-B611001C', 'HWTCB611001C'],
    ['48575443b611001c', 'HWTCB611001C'],
    ['4857 5443 B611 001C', 'HWTCB611001C'],
    ['hwtc-b611001c', 'HWTCB611001C'],
    ['HWTC:B611', 'HWTCB611'],
    ['48575443', 'HWTC'],
    // No vendor writes itself so.
    ['12345678B611001C', '12345678B611001C'],
    ['padaria', 'PADARIA'],
    ['', ''],
  ])('%j is %s', (typed, expected) => {
    expect(plainSerial(typed)).toBe(expected)
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
