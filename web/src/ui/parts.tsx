import { type MouseEvent, type ReactNode, useState } from 'react'
import { navigate } from '../app/router'
import { useSpeech } from '../i18n'
import { parseEntity } from '../lib/entity'
import { inert } from '../lib/text'
import { useNow } from '../live/hooks'
import type { Kind, StatusItem } from '../protocol/types'
import * as Icons from './icons'

/** A link inside the application: a real address, so that middle click and "copy link" work. */
export function Link(props: {
  to: string
  className?: string
  children: ReactNode
  label?: string
  testId?: string
  /** It leads to the page that is shown. */
  isCurrent?: boolean
}) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(props.to)
  }
  return (
    <a
      href={props.to}
      className={props.className}
      onClick={follow}
      aria-label={props.label}
      aria-current={props.isCurrent ? 'page' : undefined}
      data-testid={props.testId}
    >
      {props.children}
    </a>
  )
}

/** Text that a device or a person wrote: inert, and its direction kept to itself. */
export function Foreign({ text, className }: { text: string | null | undefined; className?: string }) {
  const shown = inert(text)
  if (shown === '') return null
  return (
    <bdi className={className} title={shown}>
      {shown}
    </bdi>
  )
}

/** How long something has lasted, moving on by itself: "4m". The exact instant on hover. */
export function Age({ since, long = false }: { since: string | null; long?: boolean }) {
  const { f } = useSpeech()
  const now = useNow(1_000)
  const at = since ? Date.parse(since) : Number.NaN
  if (!since || Number.isNaN(at)) return <span>—</span>
  return (
    <time dateTime={since} title={f.instant(since)}>
      {long ? f.duration(now - at) : f.age(now - at)}
    </time>
  )
}

/** An age inside a sentence: moves on by itself, wherever the language puts it. */
export function AgeWords({ since, words }: { since: string | null; words: (age: string) => string }) {
  const [before, after] = words('\u0000').split('\u0000')
  return (
    <span>
      {before}
      <Age since={since} long />
      {after}
    </span>
  )
}

/** What people call an entity. */
export function useNaming() {
  const { m } = useSpeech()
  return (id: string, item?: Pick<StatusItem, 'name'> | undefined): string => {
    const name = inert(item?.name)
    if (name) return name
    const entity = parseEntity(id)
    if (entity.place === '') return entity.rootName
    const kind = m.kinds[entity.kind as Kind] ?? entity.kind
    return `${kind} ${entity.place}`
  }
}

export function Notice(props: { title: string; hint?: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <div className="notice" role="status">
      {props.icon}
      <p className="notice-title">{props.title}</p>
      {props.hint && <p className="notice-hint">{props.hint}</p>}
      {props.children}
    </div>
  )
}

/** Grey bars where content is about to be. */
export function Skeleton({ rows, className = '' }: { rows: number; className?: string }) {
  const { m } = useSpeech()
  return (
    <div className={`skeleton ${className}`} role="status" aria-label={m.app.loading}>
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars have no identity
        <span key={i} style={{ width: `${92 - ((i * 37) % 45)}%` }} />
      ))}
    </div>
  )
}

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const { m } = useSpeech()
  const [copied, setCopied] = useState(false)
  const copy = () => {
    // Absent where the page is not served over TLS or from this machine.
    navigator.clipboard?.writeText(text).then(
      () => {
        setCopied(true)
        setTimeout(() => setCopied(false), 1_500)
      },
      error => console.info('the browser refused to copy', error),
    )
  }
  if (!navigator.clipboard) return null
  return (
    <button type="button" className="ghost-button" onClick={copy} aria-label={`${m.device.copy}: ${label}`}>
      {copied ? <Icons.Check size={13} /> : <Icons.Copy size={13} />}
      <span className="visually-hidden" role="status">
        {copied ? m.device.copied : ''}
      </span>
    </button>
  )
}
