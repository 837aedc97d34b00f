import { type RefObject, useMemo } from 'react'
import { useSpeech, word } from '../../i18n'
import { compareIds } from '../../lib/entity'
import { inert } from '../../lib/text'
import { type AlarmItem, VISIBILITIES } from '../../protocol/alarms'
import { SEVERITIES } from '../../protocol/types'
import { SeveritySign } from '../../ui/severity'
import { type AlarmFilter, isFiltered, NO_ALARM_FILTER, SORTS, type Sort } from './model'

interface Props {
  filter: AlarmFilter
  setFilter: (filter: AlarmFilter) => void
  sort: Sort
  setSort: (sort: Sort) => void
  bySeverity: ReadonlyMap<string, number>
  alarms: readonly AlarmItem[]
  textRef: RefObject<HTMLInputElement | null>
}

export function AlarmFilters({ filter, setFilter, sort, setSort, bySeverity, alarms, textRef }: Props) {
  const { m, f } = useSpeech()
  const sites = useMemo(() => {
    const names = new Set(alarms.flatMap(alarm => (alarm.site ? [alarm.site] : [])))
    if (filter.site) names.add(filter.site)
    return [...names].sort(compareIds)
  }, [alarms, filter.site])
  // The closed set first, then whatever a newer server says.
  const severities = [
    ...SEVERITIES.filter(
      each => each !== 'indeterminate' || filter.severities.includes(each) || (bySeverity.get(each) ?? 0) > 0,
    ),
    ...[...bySeverity.keys()].filter(each => !(SEVERITIES as readonly string[]).includes(each)),
  ]
  const toggle = (severity: string) =>
    setFilter({
      ...filter,
      severities: filter.severities.includes(severity)
        ? filter.severities.filter(each => each !== severity)
        : [...filter.severities, severity],
    })
  return (
    <div className="alarm-filters" role="group" aria-label={m.alarms.filter}>
      <div className="chips" role="group" aria-label={m.stream.severity}>
        {severities.map(severity => (
          <button
            key={severity}
            type="button"
            className="chip"
            aria-pressed={filter.severities.includes(severity)}
            onClick={() => toggle(severity)}
            data-severity={severity}
          >
            <SeveritySign severity={severity} size={13} />
            <span className="chip-word">{word(m.severities, severity)}</span>
            <span className="chip-count">{f.number(bySeverity.get(severity) ?? 0)}</span>
          </button>
        ))}
      </div>
      <div className="alarm-selects">
        {sites.length > 1 && (
          <Select
            label={m.device.site}
            value={filter.site ?? ''}
            set={site => setFilter({ ...filter, site: site || null })}
            options={[['', m.board.allSites], ...sites.map((site): [string, string] => [site, inert(site)])]}
          />
        )}
        <Select
          label={m.alarms.operatorState}
          value={filter.operator}
          set={operator => setFilter({ ...filter, operator: operator as AlarmFilter['operator'] })}
          options={(['all', 'open', 'acknowledged', 'closed'] as const).map(each => [
            each,
            m.alarms.operatorFilter[each],
          ])}
        />
        <Select
          label={m.alarms.visibilityTitle}
          value={filter.visibility ?? ''}
          set={visibility => setFilter({ ...filter, visibility: visibility || null })}
          options={[
            ...VISIBILITIES.map((each): [string, string] => [each, word(m.alarms.visibility, each)]),
            ['', m.alarms.anyVisibility],
          ]}
        />
        <Select
          label={m.alarms.sort}
          value={sort}
          set={next => setSort(next as Sort)}
          options={SORTS.map(each => [each, m.alarms.sorts[each]])}
        />
        <input
          ref={textRef}
          type="text"
          className="field-small"
          value={filter.text}
          onChange={event => setFilter({ ...filter, text: event.target.value })}
          onKeyDown={event => {
            if (event.key !== 'Escape') return
            event.preventDefault()
            if (filter.text === '') event.currentTarget.blur()
            else setFilter({ ...filter, text: '' })
          }}
          placeholder={m.alarms.search}
          aria-label={m.alarms.search}
          spellCheck={false}
          data-testid="alarm-text"
        />
        {isFiltered(filter) && (
          <button type="button" className="link-button" onClick={() => setFilter(NO_ALARM_FILTER)}>
            {m.stream.clearFilter}
          </button>
        )}
      </div>
    </div>
  )
}

export function Select(props: {
  label: string
  value: string
  set: (value: string) => void
  options: readonly (readonly [string, string])[]
}) {
  return (
    <label className="select">
      <span className="visually-hidden">{props.label}</span>
      <select value={props.value} onChange={event => props.set(event.target.value)} title={props.label}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
