import type { Messages } from '../../i18n'
import { inert } from '../../lib/text'
import { ApiError } from '../../session/api'

/** Why something that a person asked for was not done, in words. */
export function errorWords(m: Messages, error: unknown): string {
  if (!(error instanceof ApiError)) return m.alarms.failures.UNREACHABLE ?? ''
  const known = Object.hasOwn(m.alarms.failures, error.code) ? m.alarms.failures[error.code] : null
  const details = Object.entries(error.details).map(([field, text]) => `${field}: ${text}`)
  return [known ?? inert(error.message) ?? error.code, ...details.map(inert)].filter(Boolean).join(' ')
}
