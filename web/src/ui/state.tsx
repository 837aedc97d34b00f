import { useSpeech, word } from '../i18n'
import type { Cause, Kind, State, StatusItem } from '../protocol/types'
import * as Icons from './icons'

/** How something is, in one word that picks colour and icon: the cause where there is one, else the state. */
export type Tone = 'ok' | 'power' | 'fibre' | 'admin' | 'reset' | 'rogue' | 'other' | 'fault' | 'absent' | 'unknown'

const OK: readonly string[] = ['online', 'up', 'normal', 'reachable']
const CAUSE_TONES: Record<Cause, Tone> = {
  power: 'power',
  fibre: 'fibre',
  admin: 'admin',
  reset: 'reset',
  rogue: 'rogue',
  other: 'other',
  unknown: 'fault',
}

export const isOk = (state: string): boolean => OK.includes(state)
export const isOut = (state: string): boolean => !isOk(state) && state !== 'unknown'

export function toneOf(state: State | null, cause: Cause | null): Tone {
  if (state === null || state === 'unknown') return 'unknown'
  if (isOk(state)) return 'ok'
  if (state === 'absent') return 'absent'
  return (cause && CAUSE_TONES[cause]) || 'fault'
}

const TONE_ICONS: Record<Tone, typeof Icons.Check> = {
  ok: Icons.Check,
  power: Icons.Bolt,
  fibre: Icons.Cut,
  admin: Icons.PowerOff,
  reset: Icons.Restart,
  rogue: Icons.Rogue,
  other: Icons.Dot,
  fault: Icons.Cross,
  absent: Icons.Ghost,
  unknown: Icons.Question,
}

export function ToneIcon({ tone, size = 14 }: { tone: Tone; size?: number }) {
  const Icon = TONE_ICONS[tone]
  return <Icon size={size} className={`tone-${tone}`} />
}

/** State and cause as icon and words: never by colour alone. */
export function StateBadge({ item, quiet = false }: { item: Pick<StatusItem, 'state' | 'cause'>; quiet?: boolean }) {
  const { m } = useSpeech()
  const tone = toneOf(item.state, item.cause)
  return (
    <span className={`badge ${quiet ? 'badge-quiet' : ''} tone-${tone}`}>
      <ToneIcon tone={tone} size={12} />
      <span>{word(m.states, item.state)}</span>
      {item.cause && item.cause !== 'unknown' && <span className="badge-cause">{word(m.causes, item.cause)}</span>}
    </span>
  )
}

const KIND_ICONS: Partial<Record<Kind, typeof Icons.Olt>> = {
  olt: Icons.Olt,
  board: Icons.Board,
  pon: Icons.Pon,
  onu: Icons.Onu,
}

export function KindIcon({ kind, size = 15 }: { kind: Kind; size?: number }) {
  const Icon = KIND_ICONS[kind] ?? Icons.Question
  return <Icon size={size} className="kind-icon" />
}
