import { useMemo } from 'react'
import { useSpeech } from '../../i18n'
import { valueWords } from '../alarms/words'
import type { Line } from './draw'
import { toRows } from './series'

/** More lines than this nobody reads: points are taken together. */
const ROWS_MAX = 240

/** The same as the drawing, to be read: the newest first. */
export function PointTable(props: { lines: readonly (Line & { label: string })[]; from: number; to: number }) {
  const { lines, from, to } = props
  const { m, f } = useSpeech()
  const tables = useMemo(() => lines.map(line => toRows(line.series, from, to, ROWS_MAX)), [lines, from, to])
  return (
    <div className="point-tables">
      {lines.map((line, i) => {
        const rows = tables[i]
        if (!rows) return null
        return (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
          <div key={line.label} className="point-table" role="group" aria-label={line.label} tabIndex={0}>
            <table>
              <caption>
                {line.label}
                {rows.length < line.series.length && <small> · {m.measures.taken}</small>}
              </caption>
              <thead>
                <tr>
                  <th scope="col">{m.measures.when}</th>
                  <th scope="col">{m.measures.average}</th>
                  <th scope="col">{m.measures.lowest}</th>
                  <th scope="col">{m.measures.highest}</th>
                  <th scope="col">{m.measures.count}</th>
                </tr>
              </thead>
              <tbody>
                {Array.from({ length: rows.length }, (_, back) => rows.length - 1 - back).map(at => {
                  const iso = new Date(rows.at[at] as number).toISOString()
                  return (
                    <tr key={iso}>
                      <td>{f.instant(iso)}</td>
                      <td>{valueWords(f, rows.avg[at], line.unit)}</td>
                      <td>{valueWords(f, rows.min[at], line.unit)}</td>
                      <td>{valueWords(f, rows.max[at], line.unit)}</td>
                      <td>{f.number(rows.n[at] as number)}</td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
            {rows.length === 0 && <p className="detail-note">{m.measures.nothing}</p>}
          </div>
        )
      })}
    </div>
  )
}
