import { beforeEach, describe, expect, it } from 'vitest'
import { alarmItem } from '../../lib/fixtures'
import type { Act, ActAnswer, AlarmItem, TransitionItem } from '../../protocol/alarms'
import { ApiError, Unreachable } from '../../session/api'
import { Acts, actsFor, hasHappened } from './acts'

let alarm: AlarmItem
let history: TransitionItem[]
let answer: () => Promise<ActAnswer>
let timers: { run: () => void; ms: number }[]
let sent: unknown[]
let acts: Acts

beforeEach(() => {
  alarm = alarmItem('x')
  history = []
  timers = []
  sent = []
  answer = async () => ({ act_id: 'act-1' })
  acts = new Acts({
    send: (id, act, body) => {
      sent.push([id, act, body])
      return answer()
    },
    transitions: async () => history,
    alarm: () => alarm,
    setTimer: (run, ms) => timers.push({ run, ms }),
    clearTimer: () => {},
  })
})

const refusal = (why: string): TransitionItem => ({
  alarm_id: 'x',
  transition: 'refused',
  at: '2026-11-21T10:00:01.000Z',
  actor: 'ana',
  act_id: 'act-1',
  text: null,
  refusal: why,
  position: null,
})

/** Runs the timer that waits, and what follows it. */
async function later(): Promise<void> {
  timers.shift()?.run()
  await new Promise(done => setTimeout(done, 0))
}

describe('an act', () => {
  it('is under way until the alarm itself says that it happened', async () => {
    const begun = acts.begin('x', 'acknowledge', { text: 'on it' })
    expect(acts.of('x')?.state).toBe('sending')
    await begun
    expect(sent).toEqual([['x', 'acknowledge', { text: 'on it' }]])
    expect(acts.of('x')?.state).toBe('accepted')
    acts.heard(alarmItem('x', { severity: 'major' }))
    expect(acts.of('x')?.state).toBe('accepted')
    acts.heard(alarmItem('x', { operator_state: 'acknowledged' }))
    expect(acts.of('x')).toBeUndefined()
  })

  it('that came through before its answer is done with the answer', async () => {
    answer = async () => {
      alarm = alarmItem('x', { operator_state: 'acknowledged' })
      return { act_id: 'act-1' }
    }
    await acts.begin('x', 'acknowledge')
    expect(acts.of('x')).toBeUndefined()
  })

  it('that was refused says why, by the history of the alarm', async () => {
    await acts.begin('x', 'clear', { text: 'gone' })
    history = [refusal('already_cleared')]
    await later()
    expect(acts.of('x')).toMatchObject({ state: 'refused', why: 'already_cleared' })
    acts.dismiss('x')
    expect(acts.of('x')).toBeUndefined()
  })

  it('of another is not taken for it', async () => {
    await acts.begin('x', 'clear', { text: 'gone' })
    history = [{ ...refusal('bad_time'), act_id: 'other' }]
    await later()
    expect(acts.of('x')?.state).toBe('accepted')
  })

  it('that happened without a visible change is done when the history has it', async () => {
    await acts.begin('x', 'comment', { text: 'hm' })
    history = [{ ...refusal(''), transition: 'commented', refusal: null }]
    await later()
    expect(acts.of('x')).toBeUndefined()
  })

  it('of which nothing is heard is said to be unconfirmed, and can still come through', async () => {
    await acts.begin('x', 'acknowledge')
    for (let i = 0; i < 5; i += 1) await later()
    expect(acts.of('x')?.state).toBe('unconfirmed')
    acts.heard(alarmItem('x', { operator_state: 'acknowledged' }))
    expect(acts.of('x')).toBeUndefined()
  })

  it.each([
    [new ApiError(403, 'FORBIDDEN', 'not for you'), 'FORBIDDEN'],
    [new Unreachable('away'), 'UNREACHABLE'],
  ])('that the server did not take has failed: %s', async (error, why) => {
    answer = () => Promise.reject(error)
    await acts.begin('x', 'acknowledge')
    expect(acts.of('x')).toMatchObject({ state: 'failed', why })
  })

  it('on many is sent for each, some at a time', async () => {
    const ids = Array.from({ length: 10 }, (_, i) => `a${i}`)
    let under = 0
    let most = 0
    answer = async () => {
      under += 1
      most = Math.max(most, under)
      await new Promise(done => setTimeout(done, 0))
      under -= 1
      return { act_id: 'many' }
    }
    await acts.beginAll(ids, 'acknowledge', { text: 'all of them' })
    expect(sent).toHaveLength(10)
    expect(most).toBe(4)
    expect(ids.every(id => acts.of(id)?.state === 'accepted')).toBe(true)
  })

  it('is one at a time for each alarm', async () => {
    await acts.begin('x', 'acknowledge')
    await acts.begin('x', 'comment', { text: 'second' })
    expect(sent).toHaveLength(1)
  })
})

it.each<[Act, Partial<AlarmItem>, boolean]>([
  ['acknowledge', { operator_state: 'acknowledged' }, true],
  ['unacknowledge', { operator_state: 'acknowledged' }, false],
  ['clear', { condition: 'cleared' }, true],
  ['clear', { operator_state: 'closed' }, true],
  ['silence', { silenced_until: '2026-11-22T00:00:00.000Z' }, true],
  ['silence', {}, false],
  ['unsilence', { visibility: 'silenced', silenced_until: '2026-11-22T00:00:00.000Z' }, false],
  ['comment', { changed_at: 'later', comments: [{ at: '', actor: 'a', text: 'hello' }] }, true],
  ['comment', { changed_at: 'later' }, false],
])('%s has happened to %j: %s', (act, change, expected) => {
  const doing = {
    alarm: 'x',
    act,
    text: 'hello',
    until: null,
    state: 'accepted',
    why: null,
    message: null,
    actId: 'a',
  } as const
  expect(hasHappened(doing, alarmItem('x'), alarmItem('x', change))).toBe(expected)
})

it.each<[Partial<AlarmItem>, Act[]]>([
  [{}, ['acknowledge', 'comment', 'silence', 'clear']],
  [{ operator_state: 'acknowledged' }, ['unacknowledge', 'comment', 'silence', 'clear']],
  [{ visibility: 'silenced' }, ['acknowledge', 'comment', 'unsilence', 'clear']],
  [{ visibility: 'silenced', silence_id: 's' }, ['acknowledge', 'comment', 'silence', 'clear']],
  [{ condition: 'cleared' }, ['comment']],
])('to an alarm with %j can be done %j', (change, expected) => {
  expect(actsFor(alarmItem('x', change))).toEqual(expected)
})
