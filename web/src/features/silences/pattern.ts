import type { AlarmItem, Scope } from '../../protocol/alarms'

/** Whether a pattern with `*` fits a text, as the server fits it. */
export function fitsPattern(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return pattern === text
  const first = parts.shift() ?? ''
  const last = parts.pop() ?? ''
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false
  // Each part as early as it can be: the rest then has the most room.
  let at = first.length
  for (const part of parts) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > text.length - last.length) return false
    at = found + part.length
  }
  return true
}

/** Of what is raised now: how much a silence would quiet, as far as an alarm says of itself what a scope asks. */
export function wouldQuiet(alarms: readonly AlarmItem[], scope: Record<keyof Scope, string>, type: string): number {
  return alarms.filter(
    alarm =>
      (scope.site.trim() === '' || alarm.site === scope.site.trim()) &&
      (scope.kind === '' || alarm.kind === scope.kind) &&
      (scope.entity.trim() === '' || fitsPattern(scope.entity.trim(), alarm.entity)) &&
      (scope.tenant.trim() === '' || alarm.entity.startsWith(`${scope.tenant.trim()}/`)) &&
      (type === '' || alarm.alarm_type === type),
  ).length
}
