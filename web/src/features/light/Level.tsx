import { useSpeech } from '../../i18n'
import { LevelSign } from '../../ui/light'
import { levelOf, type Reader, troubleOf } from './levels'

/** A received level: sign, number, and for readers and on hover who receives it and what is wrong with it. */
export function LevelValue({ dbm, reader, arrow = false }: { dbm: number | null; reader: Reader; arrow?: boolean }) {
  const { m, f } = useSpeech()
  const who = reader === 'onu' ? m.light.onuRx : m.light.oltRx
  const level = levelOf(dbm, reader)
  const trouble = troubleOf(dbm, reader)
  // What the ONU receives comes down to it; what the OLT receives goes up.
  const way = arrow && <span className="level-way">{reader === 'onu' ? '↓' : '↑'}</span>
  if (dbm === null || level === null)
    return (
      <span className="level level-none" title={`${who}: ${m.light.notRead}`} data-reader={reader}>
        <span aria-hidden="true">{way}—</span>
        <span className="visually-hidden">
          {who} {m.light.notRead}
        </span>
      </span>
    )
  const said = trouble ? m.light.trouble[trouble] : m.light.levels[level]
  return (
    <span
      className={`level level-${level}`}
      title={`${who} ${f.decimal(dbm, 2)} dBm · ${said}`}
      data-reader={reader}
      data-level={level}
    >
      <span className="visually-hidden">{`${who} `}</span>
      <span aria-hidden="true">{way}</span>
      <LevelSign level={level} />
      <span>{f.decimal(dbm, 1)}</span>
      <span className="visually-hidden">{` dBm, ${said} `}</span>
    </span>
  )
}
