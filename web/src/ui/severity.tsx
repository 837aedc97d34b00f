import { useSpeech, word } from '../i18n'
import * as Icons from './icons'

/** One shape for each severity: told apart without colour. */
const SIGNS: Record<string, typeof Icons.Check> = {
  critical: Icons.Critical,
  major: Icons.Rogue,
  minor: Icons.Minor,
  warning: Icons.Warning,
  indeterminate: Icons.Question,
}

/** A word of a newer server gets the looks of what nobody can rank. */
export const severityClass = (severity: string): string =>
  `sevc-${Object.hasOwn(SIGNS, severity) ? severity : 'indeterminate'}`

export function SeveritySign({ severity, size = 15 }: { severity: string; size?: number }) {
  const Sign = (Object.hasOwn(SIGNS, severity) && SIGNS[severity]) || Icons.Question
  return <Sign size={size} className={severityClass(severity)} />
}

export function SeverityBadge({ severity }: { severity: string }) {
  const { m } = useSpeech()
  return (
    <span className={`badge severity-badge ${severityClass(severity)}`} data-severity={severity}>
      <SeveritySign severity={severity} size={12} />
      <span>{word(m.severities, severity)}</span>
    </span>
  )
}
