import { describe, expect, it } from 'vitest'
import { pollItem } from '../../lib/fixtures'
import { callsForPerson, failureOf, healthOf } from './health'

const AT = '2026-11-21T10:00:00.000Z'

describe('the health of an OLT’s readings', () => {
  it.each([
    ['none', undefined],
    ['waiting', pollItem({ last_good_at: null })],
    ['good', pollItem()],
    ['hiccup', pollItem({ failing_since: AT, class: 'busy', in_a_row: 1 })],
    ['hiccup', pollItem({ failing_since: AT, class: null, in_a_row: 2 })],
    ['failing', pollItem({ failing_since: AT, class: 'timeout_tcp', in_a_row: 3 })],
    ['failing', pollItem({ failing_since: AT, class: 'algorithms', in_a_row: 1 })],
    ['stopped', pollItem({ failing_since: AT, class: 'refused', in_a_row: 1 })],
    ['stopped', pollItem({ failing_since: AT, class: 'host_key_changed', in_a_row: 9 })],
    ['good', pollItem({ class: 'refused', in_a_row: 1 })],
  ] as const)('is %s', (health, poll) => {
    expect(healthOf(poll)).toBe(health)
    expect(callsForPerson(poll ? { poll } : {})).toBe(health === 'stopped' || health === 'failing')
  })
})

describe('a failure', () => {
  it.each([
    ['refused', 'refused'],
    ['timeout_prompt', 'timeout_prompt'],
    ['timeout_of_a_newer_server', 'timeout'],
    ['melted', 'other'],
    ['constructor', 'other'],
    ['', 'other'],
    [null, 'other'],
  ])('%j is explained as %s', (word, expected) => {
    expect(failureOf(word)).toBe(expected)
  })
})
