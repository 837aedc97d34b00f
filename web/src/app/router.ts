import { useSyncExternalStore } from 'react'
import { cell } from '../lib/external'

/** Where the application is. The server answers every path that it does not own with the same page. */
export type Route =
  | { page: 'board'; entity: string | null }
  | { page: 'device'; id: string }
  | { page: 'missing'; path: string }

export function parseRoute(path: string): Route {
  const [first = '', ...rest] = path.split('/').slice(1)
  const tail = rest.filter(part => part !== '').map(decode)
  if (first === '') return { page: 'board', entity: null }
  if (first === 'network') return { page: 'board', entity: tail.length > 0 ? tail.join('/') : null }
  if (first === 'device' && tail.length > 0) return { page: 'device', id: tail.join('/') }
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

const path = cell(location.pathname)
window.addEventListener('popstate', () => path.set(location.pathname))

export function navigate(to: string, replace = false): void {
  if (to === location.pathname) return
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  path.set(location.pathname)
}

export const usePath = (): string => useSyncExternalStore(path.listen, path.get)
