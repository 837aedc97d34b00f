import { describe, expect, it } from 'vitest'
import type { Freshness, LedgerItem } from '../../protocol/types'
import { accountOf, verdictOf } from './verdict'

const run = (change: Partial<LedgerItem> = {}): LedgerItem => ({
  listener: 'main',
  run: 'a',
  current: true,
  at: '2026-11-21T10:00:00.000Z',
  received: 10,
  undecodable: 0,
  refused: 0,
  over_limit: 0,
  accepted: 10,
  recovered: 0,
  acknowledged: 10,
  waiting: 0,
  dropped: 0,
  kernel_drops: 0,
  lost: 0,
  lost_first_at: null,
  lost_last_at: null,
  own_probes: 0,
  balances: true,
  ...change,
})

const freshness = (state: Freshness) => ({
  state,
  interval_ms: 30_000,
  late_after_ms: 75_000,
  listeners: [
    {
      listener: 'main',
      state,
      since: '',
      sent_at: null,
      round_trip_ms: null,
      late_partitions: state === 'late' ? [3] : [],
    },
  ],
})

describe('the verdict', () => {
  it.each([
    ['no row', [], { is: 'waiting' }],
    ['all in the log', [run(), run({ listener: 'b' })], { is: 'complete' }],
    ['one silent', [run(), run({ listener: 'b', current: false })], { is: 'silent', listener: 'b' }],
    ['sums that are wrong', [run({ lost: 3 }), run({ balances: false })], { is: 'unbalanced' }],
    [
      'losses of two, one of unknown time',
      [
        run({ lost: 3, lost_first_at: '10:01', lost_last_at: '10:04' }),
        run({ lost: 2 }),
        run({ lost: 1, lost_first_at: '10:00', lost_last_at: '10:02' }),
      ],
      { is: 'lost', lost: 6, first: '10:00', last: '10:04' },
    ],
  ])('of %s', (_, ledger, expected) => {
    expect(accountOf(ledger)).toEqual(expected)
  })

  it('says first that what is shown may be old', () => {
    expect(verdictOf({ freshness: freshness('late'), ledger: [run({ lost: 1 })] })).toEqual({
      is: 'late',
      sentAt: null,
      partitions: [3],
    })
    expect(verdictOf({ freshness: freshness('off'), ledger: [run()] })).toEqual({ is: 'complete' })
  })
})
