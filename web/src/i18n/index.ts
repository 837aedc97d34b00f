import { useSyncExternalStore } from 'react'
import { cell, recall, remember } from '../lib/external'
import { type Formats, formats } from '../lib/format'
import type { EventItem } from '../protocol/types'
import { en, type Messages } from './en'
import { pt } from './pt'

export type { Messages } from './en'

export const LANGUAGES = ['en', 'pt'] as const
export type Language = (typeof LANGUAGES)[number]

export const messages: Record<Language, Messages> = { en, pt }

const KEY = 'atalaia.language'

/** English or Portuguese with the region the browser asks for, so that dates come as the reader writes them. */
function localeOf(language: Language): string {
  const wanted = navigator.languages?.find(tag => tag.toLowerCase().startsWith(language))
  return wanted ?? (language === 'pt' ? 'pt-BR' : 'en')
}

/** The language a person chose, else the first of the browser's that we speak, else English. */
export function firstLanguage(chosen: string | null, wanted: readonly string[]): Language {
  const known = (tag: string | null) => LANGUAGES.find(language => tag?.toLowerCase().split('-')[0] === language)
  return known(chosen) ?? wanted.map(known).find(language => language !== undefined) ?? 'en'
}

interface Speech {
  language: Language
  m: Messages
  f: Formats
}

const speechOf = (language: Language): Speech => ({
  language,
  m: messages[language],
  f: formats(localeOf(language)),
})

const speech = cell<Speech>(speechOf(firstLanguage(recall(KEY), navigator.languages ?? [])))
document.documentElement.lang = speech.get().f.locale

export function setLanguage(language: Language): void {
  remember(KEY, language)
  speech.set(speechOf(language))
  document.documentElement.lang = speech.get().f.locale
}

/** The words (`m`) and formats (`f`) of the present language. */
export const useSpeech = (): Speech => useSyncExternalStore(speech.listen, speech.get)

/** A word of a closed set; a word that a newer server may say is shown as it is. */
export function word(words: Record<string, string>, key: string | null | undefined): string {
  if (!key) return ''
  return Object.hasOwn(words, key) ? (words[key] as string) : key
}

/** A state in words; cards and sites have another gender in Portuguese than what hangs on an OLT. */
export function stateWords(m: Messages, kind: string | null | undefined, state: string): string {
  const own = kind === 'card' || kind === 'site' || kind === 'padtec'
  return own && Object.hasOwn(m.sites.states, state) ? word(m.sites.states, state) : word(m.states, state)
}

/** Words of a name that are written in their own way; the vendor's ONT is our ONU. */
const SPELLED: Record<string, string> = {
  ont: 'ONU',
  onts: 'ONUs',
  onu: 'ONU',
  pon: 'PON',
  olt: 'OLT',
  vlan: 'VLAN',
  dba: 'DBA',
  snmp: 'SNMP',
  gem: 'GEM',
  los: 'LOS',
}

/** A name without a word of its own, readable: `ont_port_vlan_cfg` is `ONU port VLAN cfg`. */
function plainName(event: string): string {
  const text = event
    .split('_')
    .map(part => (Object.hasOwn(SPELLED, part) ? SPELLED[part] : part))
    .join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What happened, in words. */
export function eventWords(m: Messages, event: Pick<EventItem, 'event' | 'phase'>): string {
  const known = Object.hasOwn(m.events, event.event) ? m.events[event.event] : undefined
  const plain = plainName(event.event)
  if (!known) return event.phase === 'clear' ? `${plain} · ${m.phases.clear.toLowerCase()}` : plain
  return event.phase === 'clear' ? (known.clear ?? `${known.raise} · ${m.phases.clear.toLowerCase()}`) : known.raise
}
