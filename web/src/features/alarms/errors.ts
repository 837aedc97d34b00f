import type { Messages } from '../../i18n'
import { inert } from '../../lib/text'
import { ApiError } from '../../session/api'

/** Why something that a person asked for was not done, in words. */
export function errorWords(m: Messages, error: unknown): string {
  if (!(error instanceof ApiError)) return m.alarms.failures.UNREACHABLE ?? ''
  const known = Object.hasOwn(m.alarms.failures, error.code) ? m.alarms.failures[error.code] : null
  const details = Object.entries(error.details).map(([field, text]) => `${field}: ${text}`)
  // The message of a refusal repeats the first of its details.
  if (details.length > 0) return details.map(inert).join(' · ')
  return known ?? (inert(error.message) || error.code)
}
