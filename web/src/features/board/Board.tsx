import { useCallback, useEffect, useState } from 'react'
import { useKeys } from '../../app/keys'
import { boardPath, navigate } from '../../app/router'
import { useSpeech } from '../../i18n'
import { parseEntity } from '../../lib/entity'
import { TREE, useEntity, useLoad, useRoots, useTopic } from '../../live/hooks'
import { Notice, Skeleton } from '../../ui/parts'
import { EventStream } from '../events/EventStream'
import { Empty } from './Empty'
import { NodePane } from './NodePane'
import { Overview } from './Overview'
import { Summary } from './Summary'
import { Tree } from './Tree'

/** The network now: counters on top, tree, what is selected, and the stream of events. */
export function Board({ selected }: { selected: string | null }) {
  const { m } = useSpeech()
  const load = useLoad(useTopic(TREE))
  const roots = useRoots()
  const [site, setSite] = useState<string | null>(null)
  const select = useCallback((entity: string | null) => navigate(boardPath(entity)), [])

  useEffect(() => {
    document.title = selected ? `${shortName(selected)} · ${m.app.name}` : m.app.name
  }, [selected, m])
  useKeys({ Escape: () => selected && select(null) })

  if (load.state === 'ready' && roots.length === 0) return <Empty />
  return (
    <div className="board">
      <h1 className="visually-hidden">
        {m.app.name} · {m.header.home}
      </h1>
      <Summary />
      <div className="board-columns">
        <Tree selected={selected} select={select} site={site} loading={load.state === 'loading'} />
        <section className="pane" aria-label={selected ? shortName(selected) : m.tree.overview}>
          {load.state === 'error' && <Notice title={m.board.error(load.code)} />}
          {load.state === 'loading' && <Skeleton rows={14} className="pane-skeleton" />}
          {load.state === 'ready' &&
            (selected ? (
              <Selected key={selected} entity={selected} select={select} />
            ) : (
              <Overview site={site} setSite={setSite} select={select} />
            ))}
        </section>
        <EventStream scope={selected} />
      </div>
    </div>
  )
}

function Selected({ entity, select }: { entity: string; select: (entity: string | null) => void }) {
  const { m } = useSpeech()
  const item = useEntity(entity)
  if (item) return <NodePane item={item} select={select} />
  return (
    <Notice title={m.board.gone} hint={`${entity} · ${m.board.goneHint}`}>
      <button type="button" className="button" onClick={() => select(null)}>
        {m.board.close}
      </button>
    </Notice>
  )
}

function shortName(id: string): string {
  const { rootName, place } = parseEntity(id)
  return place ? `${rootName} ${place}` : rootName
}
