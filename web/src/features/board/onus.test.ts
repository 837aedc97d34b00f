import { describe, expect, it } from 'vitest'
import { opticsItem, statusItem } from '../../lib/fixtures'
import { type Filtered, filtered, sameResult, type Wanted } from './onus'

const PON = 'default/olt/a/onu/0/3/5'
const ONUS = [
  statusItem(`${PON}/0`, { serial: 'HWTCB611001C', name: 'José', description: 'Rua A', optics: opticsItem() }),
  statusItem(`${PON}/1`, {
    serial: 'ZTEGC0FFEE01',
    state: 'offline',
    cause: 'fibre',
    optics: opticsItem({ level: 'bad' }),
  }),
  statusItem(`${PON}/2`, { description: 'Padaria Aurora', optics: opticsItem({ level: 'weak' }) }),
  statusItem(`${PON}/3`, { state: 'absent', optics: opticsItem({ level: null, rx_dbm: null, olt_rx_dbm: null }) }),
  statusItem(`${PON}/4`, { state: 'unknown' }),
]
const ALL: Wanted = { tone: null, level: null, text: '' }
const ids = (wanted: Partial<Wanted>) => filtered(ONUS, { ...ALL, ...wanted }).ids.map(id => id.slice(PON.length + 1))

describe('the ONUs of a PON', () => {
  it.each([
    [{}, ['0', '1', '2', '3', '4']],
    [{ tone: 'absent' }, ['3']],
    [{ tone: 'unknown' }, ['4']],
    [{ tone: 'fibre', level: 'bad' }, ['1']],
    [{ tone: 'ok', level: 'bad' }, []],
    [{ level: 'weak' }, ['2']],
    [{ text: 'jose' }, ['0']],
    [{ text: 'rua a' }, ['0']],
    [{ text: '48575443-b611' }, ['0']],
    [{ text: 'hwtc-b611 001c' }, ['0']],
    [{ text: ' padaria ' }, ['2']],
    [{ text: '0/3/5/4' }, ['4']],
    [{ text: '-' }, []],
    [{ text: '   ' }, ['0', '1', '2', '3', '4']],
  ] as [Partial<Wanted>, string[]][])('filtered by %j are %j', (wanted, expected) => {
    expect(ids(wanted)).toEqual(expected)
  })

  it('are counted whatever is filtered, good light not among what is worth a look', () => {
    const { tones, levels, all, isLit } = filtered(ONUS, { tone: 'absent', level: 'weak', text: 'x' })
    expect([all, isLit]).toEqual([5, true])
    expect(tones).toEqual([
      ['ok', 2],
      ['fibre', 1],
      ['absent', 1],
      ['unknown', 1],
    ])
    expect(levels).toEqual([
      ['weak', 1],
      ['bad', 1],
    ])
    expect(filtered(ONUS.slice(4), ALL)).toMatchObject({ levels: [], isLit: false })
  })

  it.each<[Partial<Filtered>, boolean]>([
    [{}, true],
    [{ ids: [] }, false],
    [{ isLit: false }, false],
    [{ levels: [['weak', 2]] }, false],
    [{ tones: [] }, false],
    [{ all: 4 }, false],
  ])('changed by %j are the same: %s', (change, expected) => {
    const first = filtered(ONUS, ALL)
    expect(sameResult(first, { ...filtered(ONUS, ALL), ...change })).toBe(expected)
  })
})
