import type { Cause, State } from '../protocol/types'

/** How something is, in one word that picks colour and icon: the cause where there is one, else the state. */
export type Tone =
  | 'ok'
  | 'power'
  | 'fibre'
  | 'admin'
  | 'reset'
  | 'rogue'
  | 'other'
  | 'fault'
  | 'blind'
  | 'absent'
  | 'unknown'

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
  // Whatever hangs on it may work: only nobody can see it.
  if (state === 'unreachable') return 'blind'
  // A part of ours that is out is never grey, whatever the vendor calls the cause.
  if (cause === 'other' && state !== 'offline') return 'fault'
  return (cause && CAUSE_TONES[cause]) || 'fault'
}
