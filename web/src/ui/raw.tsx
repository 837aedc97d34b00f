import { inert } from '../lib/text'

/** Deeper than this nothing is shown: no record of ours is, and a hostile one shall not hang the page. */
const DEPTH_MAX = 10
const ENTRIES_MAX = 200

const NONE: readonly string[] = []

const isBranch = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0

/** Whatever the server decoded, as it is: names and values; `folded` names what is shown on demand. Text stays text. */
export function Raw(props: { value: unknown; depth?: number; folded?: readonly string[] }) {
  const { value, depth = 0, folded = NONE } = props
  if (value === null || value === undefined) return <span className="raw-null">null</span>
  if (typeof value !== 'object') return <bdi className="raw-value">{inert(String(value))}</bdi>
  if (depth >= DEPTH_MAX) return <span className="raw-null">…</span>
  const entries = Object.entries(value)
  const shown = entries.filter(([, inner]) => inner !== null && inner !== undefined).slice(0, ENTRIES_MAX)
  if (shown.length === 0) return <span className="raw-null">{Array.isArray(value) ? '[]' : '{}'}</span>
  return (
    <dl className="raw">
      {shown.map(([key, inner]) =>
        isBranch(inner) ? (
          <div key={key} className="raw-branch">
            <details open={depth < 4 && !folded.includes(key)}>
              <summary>{inert(key)}</summary>
              <Raw value={inner} depth={depth + 1} folded={folded} />
            </details>
          </div>
        ) : (
          <div key={key}>
            <dt>{inert(key)}</dt>
            <dd>
              <Raw value={inner} depth={depth + 1} />
            </dd>
          </div>
        ),
      )}
    </dl>
  )
}
