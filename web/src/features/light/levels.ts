import type { Level, Optics } from '../../protocol/types'

/** Who reads the light: the ONU what the OLT sends, the OLT what the ONU sends. */
export type Reader = 'onu' | 'olt'

/**
 * What is read without errors, in dBm: class B+ of ITU-T G.984.2 Amd. 1, table 2c. The same limits as the server's
 * verdict (`optics.level`), which is the worse of the two; here they tell which of them it is.
 */
export const LIMITS: Record<Reader, { weakest: number; strongest: number }> = {
  onu: { weakest: -27, strongest: -8 },
  olt: { weakest: -28, strongest: -8 },
}

/** What a good level keeps to the weakest, in dB. */
export const MARGIN_DB = 2

/** The verdict on one level; `null` where nothing was read. */
export function levelOf(dbm: number | null | undefined, reader: Reader): Level | null {
  if (typeof dbm !== 'number' || !Number.isFinite(dbm)) return null
  const { weakest, strongest } = LIMITS[reader]
  if (dbm < weakest || dbm > strongest) return 'bad'
  return dbm < weakest + MARGIN_DB ? 'weak' : 'good'
}

/** Why a level is not good. */
export type Trouble = 'weak' | 'too_weak' | 'too_strong'

export function troubleOf(dbm: number | null | undefined, reader: Reader): Trouble | null {
  const level = levelOf(dbm, reader)
  if (level === null || level === 'good') return null
  if (level === 'weak') return 'weak'
  return (dbm as number) > LIMITS[reader].strongest ? 'too_strong' : 'too_weak'
}

/** Ends of the scale on which a level is drawn, in dBm: a little beyond the limits on both sides. */
export const SCALE = { from: -34, to: -4 } as const

/** Where a level lies on the scale, 0 to 1; beyond its ends at them. */
export const onScale = (dbm: number): number => Math.min(1, Math.max(0, (dbm - SCALE.from) / (SCALE.to - SCALE.from)))

/** Whether anything was read of an ONU's light. */
export const hasLight = (optics: Optics | undefined): optics is Optics =>
  optics !== undefined && (optics.rx_dbm !== null || optics.olt_rx_dbm !== null || optics.distance_m !== null)
