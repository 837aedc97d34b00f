import { useSyncExternalStore } from 'react'
import { cell } from '../lib/external'

/** Where the application is. The server answers every path that it does not own with the same page. */
export type Route =
  | { page: 'board'; entity: string | null }
  | { page: 'device'; id: string }
  | { page: 'alarms'; tab: AlarmTab; alarm: string | null; incident: string | null }
  | { page: 'rules'; rule: string | null }
  | { page: 'silences' }
  | { page: 'sites'; site: string | null }
  | { page: 'missing'; path: string }

/** What is raised now, or what was. */
export type AlarmTab = 'active' | 'history'

export function parseRoute(path: string): Route {
  const [first = '', ...rest] = path.split('/').slice(1)
  const tail = rest.filter(part => part !== '').map(decode)
  if (first === '') return { page: 'board', entity: null }
  if (first === 'network') return { page: 'board', entity: tail.length > 0 ? tail.join('/') : null }
  if (first === 'device' && tail.length > 0) return { page: 'device', id: tail.join('/') }
  const inner = tail.length > 0 ? tail.join('/') : null
  if (first === 'alarms' && tail[0] === 'history')
    return { page: 'alarms', tab: 'history', alarm: tail[1] ?? null, incident: null }
  if (first === 'alarms') return { page: 'alarms', tab: 'active', alarm: tail[0] ?? null, incident: null }
  if (first === 'incidents' && inner) return { page: 'alarms', tab: 'active', alarm: null, incident: inner }
  if (first === 'rules') return { page: 'rules', rule: inner }
  if (first === 'silences' && inner === null) return { page: 'silences' }
  if (first === 'sites') return { page: 'sites', site: inner }
  return { page: 'missing', path }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const encode = (id: string): string => id.split('/').map(encodeURIComponent).join('/')

export const boardPath = (entity: string | null): string => (entity ? `/network/${encode(entity)}` : '/')
export const devicePath = (id: string): string => `/device/${encode(id)}`

export const alarmPath = (id: string | null, tab: AlarmTab = 'active'): string =>
  `/alarms${tab === 'history' ? '/history' : ''}${id ? `/${encode(id)}` : ''}`
export const incidentPath = (id: string): string => `/incidents/${encode(id)}`
export const rulePath = (id: string | null): string => (id ? `/rules/${encode(id)}` : '/rules')
export const sitePath = (site: string | null): string => (site ? `/sites/${encodeURIComponent(site)}` : '/sites')

const path = cell(location.pathname)
window.addEventListener('popstate', () => path.set(location.pathname))

export function navigate(to: string, replace = false): void {
  if (to === location.pathname) return
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  path.set(location.pathname)
}

export const usePath = (): string => useSyncExternalStore(path.listen, path.get)
