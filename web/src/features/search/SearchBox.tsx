import { type KeyboardEvent, type RefObject, useEffect, useId, useState } from 'react'
import { devicePath, navigate } from '../../app/router'
import { session } from '../../app/services'
import { useSpeech } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import type { Page, StatusItem } from '../../protocol/types'
import * as Icons from '../../ui/icons'
import { Foreign, useNaming } from '../../ui/parts'
import { KindIcon, StateBadge } from '../../ui/state'

/** After the last key, in milliseconds, before the server is asked. */
const DEBOUNCE_MS = 140
const RESULTS_MAX = 10

type Found =
  | { state: 'idle' }
  | { state: 'busy' }
  | { state: 'failed' }
  | { state: 'done'; q: string; page: Page<StatusItem> }

/** Search by serial, name, description or place: a combobox whose list opens a device's page. */
export function SearchBox({ inputRef }: { inputRef: RefObject<HTMLInputElement | null> }) {
  const { m } = useSpeech()
  const name = useNaming()
  const listId = useId()
  const [q, setQ] = useState('')
  const [open, setOpen] = useState(false)
  const [active, setActive] = useState(0)
  const found = useSearch(q.trim())
  const items = found.state === 'done' ? found.page.items : []
  const shown = open && q.trim() !== ''

  const choose = (item: StatusItem | undefined) => {
    if (!item) return
    navigate(devicePath(item.entity))
    setOpen(false)
    setQ('')
    inputRef.current?.blur()
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      if (items.length > 0) setActive((active + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length)
    } else if (event.key === 'Enter') {
      choose(items[active])
    } else if (event.key === 'Escape') {
      event.preventDefault()
      if (shown) setQ('')
      else inputRef.current?.blur()
    }
  }

  return (
    <search className="search">
      <Icons.Search className="search-icon" />
      <input
        ref={inputRef}
        type="text"
        role="combobox"
        aria-label={m.search.label}
        aria-expanded={shown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={shown && items[active] ? `${listId}-${active}` : undefined}
        placeholder={m.header.search}
        value={q}
        autoComplete="off"
        spellCheck={false}
        onChange={event => {
          setQ(event.target.value)
          setActive(0)
          setOpen(true)
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={press}
        data-testid="search-input"
      />
      <span className="search-key" aria-hidden="true">
        <kbd>/</kbd>
      </span>
      {shown && (
        <div className="search-panel">
          <div id={listId} role="listbox" aria-label={m.search.results}>
            {items.map((item, i) => (
              <div
                key={item.entity}
                id={`${listId}-${i}`}
                role="option"
                tabIndex={-1}
                aria-selected={i === active}
                className="search-item"
                data-testid="search-result"
                data-entity={item.entity}
                onPointerMove={() => setActive(i)}
                // Before the blur that would close the list.
                onPointerDown={event => {
                  event.preventDefault()
                  choose(item)
                }}
              >
                <KindIcon kind={item.kind} />
                <span className="search-text">
                  <span className="search-main">
                    {item.serial ? <span className="mono">{item.serial}</span> : <span>{name(item.entity, item)}</span>}
                    <Foreign text={item.description} className="search-description" />
                  </span>
                  <small>
                    {parseEntity(item.entity).rootName}
                    {parseEntity(item.entity).place && ` · ${parseEntity(item.entity).place}`}
                    {item.site && ` · ${item.site}`}
                  </small>
                </span>
                <StateBadge item={item} />
              </div>
            ))}
          </div>
          <p className="search-note" role="status">
            {found.state === 'busy' && m.search.searching}
            {found.state === 'failed' && m.search.failed}
            {found.state === 'done' && items.length === 0 && m.search.none(found.q)}
            {found.state === 'done' && found.page.next !== null && m.search.more}
          </p>
        </div>
      )}
    </search>
  )
}

/** What the server finds; the last answer stays until the next one is there. */
function useSearch(q: string): Found {
  const [found, setFound] = useState<Found>({ state: 'idle' })
  useEffect(() => {
    if (q === '') {
      setFound({ state: 'idle' })
      return
    }
    const abort = new AbortController()
    const timer = setTimeout(() => {
      setFound(before => (before.state === 'done' ? before : { state: 'busy' }))
      session
        .get<Page<StatusItem>>(`/devices?limit=${RESULTS_MAX}&q=${encodeURIComponent(q)}`, abort.signal)
        .then(page => setFound({ state: 'done', q, page }))
        .catch(error => {
          if (abort.signal.aborted) return
          console.info('search failed', error)
          setFound({ state: 'failed' })
        })
    }, DEBOUNCE_MS)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [q])
  return found
}
