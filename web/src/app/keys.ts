import { useEffect, useRef } from 'react'

/** Whether a key press belongs to a field that is being written in. */
const writing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/**
 * Keys that work anywhere on the page. A single letter is not taken from a field, nor when held with Ctrl, Alt or Meta;
 * `ctrl+k` names the combination (Meta on a Mac).
 */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const latest = useRef(keys)
  useEffect(() => {
    latest.current = keys
  })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      // A modal dialog has the keys to itself.
      if (event.defaultPrevented || event.altKey || document.querySelector('dialog[open]')) return
      const combined = event.ctrlKey || event.metaKey
      if (!combined && event.key !== 'Escape' && writing(event.target)) return
      latest.current[combined ? `ctrl+${event.key.toLowerCase()}` : event.key]?.(event)
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}
