import { useSyncExternalStore } from 'react'
import { cell, remember } from '../lib/external'

export type Theme = 'dark' | 'light'

// `theme.js` has set it before the first paint.
const theme = cell<Theme>(document.documentElement.dataset.theme === 'light' ? 'light' : 'dark')

export function toggleTheme(): void {
  const next = theme.get() === 'dark' ? 'light' : 'dark'
  remember('atalaia.theme', next)
  document.documentElement.dataset.theme = next
  theme.set(next)
}

export const useTheme = (): Theme => useSyncExternalStore(theme.listen, theme.get)
