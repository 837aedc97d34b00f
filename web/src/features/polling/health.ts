import type { Poll, StatusItem } from '../../protocol/types'

/** Why a reading fails, as the connector and the log say it. A newer server may say more. */
export const FAILURES = [
  'unreachable',
  'algorithms',
  'host_key_changed',
  'pins',
  'refused',
  'methods',
  'locked',
  'too_many_sessions',
  'first_login',
  'timeout',
  'timeout_tcp',
  'timeout_version',
  'timeout_key_exchange',
  'timeout_authentication',
  'timeout_shell',
  'timeout_prompt',
  'timeout_sending',
  'timeout_answer',
  'timeout_leaving',
  'closed',
  'protocol',
  'too_much',
  'busy',
  'command',
  'unsupported',
  'incomplete',
  'other',
] as const
export type Failure = (typeof FAILURES)[number]

/** Failures that no further try ends: a person has to act, and until then nothing is asked of the OLT. */
const FOR_A_PERSON: readonly string[] = ['host_key_changed', 'refused', 'methods', 'first_login']
/** A person has to act, though Atalaia goes on asking now and then: that costs no login. */
const FOR_A_PERSON_TOO: readonly string[] = ['algorithms', 'pins']
/** So often in a row a failure is no hiccup any more; the server tells it as an event from here on. */
const LASTING = 3

/** How reading an OLT goes, the worst first. */
export type Health = 'stopped' | 'failing' | 'hiccup' | 'waiting' | 'good' | 'none'

export function healthOf(poll: Poll | undefined): Health {
  if (!poll) return 'none'
  if (poll.failing_since === null) return poll.last_good_at === null ? 'waiting' : 'good'
  if (FOR_A_PERSON.includes(poll.class ?? '')) return 'stopped'
  return FOR_A_PERSON_TOO.includes(poll.class ?? '') || poll.in_a_row >= LASTING ? 'failing' : 'hiccup'
}

/** Whether somebody should look: a single failure ends by itself and is told on the OLT's own page only. */
export const callsForPerson = (item: Pick<StatusItem, 'poll'>): boolean => {
  const health = healthOf(item.poll)
  return health === 'stopped' || health === 'failing'
}

/** The word by which a failure is explained; one that a newer server says is of the family of its beginning, or `other`. */
export function failureOf(word: string | null): Failure {
  const known = (FAILURES as readonly string[]).includes(word ?? '')
  if (known) return word as Failure
  return word?.startsWith('timeout') ? 'timeout' : 'other'
}
