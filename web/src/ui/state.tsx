import { stateWords, useSpeech, word } from '../i18n'
import type { Kind, StatusItem } from '../protocol/types'
import * as Icons from './icons'
import { type Tone, toneOf } from './tone'

const TONE_ICONS: Record<Tone, typeof Icons.Check> = {
  ok: Icons.Check,
  power: Icons.Bolt,
  fibre: Icons.Cut,
  admin: Icons.PowerOff,
  reset: Icons.Restart,
  rogue: Icons.Rogue,
  other: Icons.Dot,
  fault: Icons.Cross,
  blind: Icons.Unplugged,
  absent: Icons.Ghost,
  unknown: Icons.Question,
}

export function ToneIcon({ tone, size = 14 }: { tone: Tone; size?: number }) {
  const Icon = TONE_ICONS[tone]
  return <Icon size={size} className={`tone-${tone}`} />
}

/** State and cause as icon and words: never by colour alone. */
export function StateBadge(props: {
  item: Pick<StatusItem, 'state' | 'cause'> & Partial<Pick<StatusItem, 'kind'>>
  quiet?: boolean
}) {
  const { item, quiet = false } = props
  const { m } = useSpeech()
  const tone = toneOf(item.state, item.cause)
  return (
    <span className={`badge ${quiet ? 'badge-quiet' : ''} tone-${tone}`}>
      <ToneIcon tone={tone} size={12} />
      <span>{stateWords(m, item.kind, item.state)}</span>
      {item.cause && item.cause !== 'unknown' && <span className="badge-cause">{word(m.causes, item.cause)}</span>}
    </span>
  )
}

const KIND_ICONS: Partial<Record<Kind, typeof Icons.Olt>> = {
  olt: Icons.Olt,
  board: Icons.Board,
  pon: Icons.Pon,
  onu: Icons.Onu,
  padtec: Icons.Olt,
  site: Icons.Building,
  card: Icons.Card,
}

export function KindIcon({ kind, size = 15 }: { kind: Kind; size?: number }) {
  const Icon = KIND_ICONS[kind] ?? Icons.Question
  return <Icon size={size} className="kind-icon" />
}
