import type { Cause, Counts, StatusItem } from '../../protocol/types'
import type { Tone } from '../../ui/tone'
import { isOut } from '../../ui/tone'
import { callsForPerson } from '../polling/health'

/** The parts of the offline ONUs, in the order in which they are drawn everywhere. */
export const CAUSE_PARTS: readonly { field: keyof Counts; cause: Cause; tone: Tone }[] = [
  { field: 'fibre', cause: 'fibre', tone: 'fibre' },
  { field: 'power', cause: 'power', tone: 'power' },
  { field: 'cause_unknown', cause: 'unknown', tone: 'fault' },
  { field: 'rogue', cause: 'rogue', tone: 'rogue' },
  { field: 'reset', cause: 'reset', tone: 'reset' },
  { field: 'admin', cause: 'admin', tone: 'admin' },
  { field: 'other', cause: 'other', tone: 'other' },
]

export const NO_COUNTS: Counts = {
  onus: 0,
  online: 0,
  offline: 0,
  absent: 0,
  unknown: 0,
  power: 0,
  fibre: 0,
  admin: 0,
  reset: 0,
  rogue: 0,
  other: 0,
  cause_unknown: 0,
}

export const offlineShare = (counts: Counts): number => (counts.onus > 0 ? counts.offline / counts.onus : 0)

/** From this share on, silence is worth drawing; a strip of one ONU in twenty looks like a flaw of the screen. */
const DARK_SHARE = 0.2

/** Share of the ONUs that are neither online nor offline, as far as nobody knows; 0 while it is small. */
export function darkShare(counts: Counts): number {
  const share = counts.onus > 0 ? (counts.unknown + counts.absent) / counts.onus : 0
  return share < DARK_SHARE ? 0 : share
}

/** The cause of most of the offline ONUs, as a tone. */
export function mainTone(counts: Counts): Tone {
  let best = CAUSE_PARTS[0]
  for (const part of CAUSE_PARTS) if (best && counts[part.field] > counts[best.field]) best = part
  return best && counts[best.field] > 0 ? best.tone : 'fault'
}

/** From this share of offline ONUs on, a PON is worth a look. */
const ATTENTION_SHARE = 0.2
/** One ONU more or less is a customer, not the network. */
const ATTENTION_ONUS = 3

/** ONUs of which nobody can say online or offline. */
export const darkParts: readonly { field: 'absent' | 'unknown'; tone: Tone }[] = [
  { field: 'absent', tone: 'absent' },
  { field: 'unknown', tone: 'unknown' },
]

/** Whether anything but "online" is to be told of the ONUs below. */
export const hasParts = (counts: Counts): boolean => counts.offline + counts.absent + counts.unknown > 0

/** How loudly a node calls: 0 = not at all; a part that is out comes before customers that are. */
export function urgency(item: StatusItem): number {
  const counts = item.counts ?? NO_COUNTS
  const own = isOut(item.state) ? { olt: 1e9, board: 1e7, pon: 1e5 }[item.kind as 'olt' | 'board' | 'pon'] : 0
  if (own) return own + counts.offline
  // What cannot be read may be wrong unseen: after all that is out, before customers that are.
  if (item.kind === 'olt' && callsForPerson(item)) return 1e4
  if (item.kind !== 'pon' || counts.offline < ATTENTION_ONUS || offlineShare(counts) < ATTENTION_SHARE) return 0
  return counts.offline
}

/** Step of the heat scale: 0 = nobody offline, 4 = (nearly) all. */
export function heatStep(counts: Counts): 0 | 1 | 2 | 3 | 4 {
  if (counts.offline === 0) return 0
  const share = offlineShare(counts)
  return share < 0.1 ? 1 : share < 0.3 ? 2 : share < 0.7 ? 3 : 4
}
