import { useEffect, useState } from 'react'

/** Width of an element in CSS pixels, followed. */
export function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(800)
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(entries => setWidth(entries[0]?.contentRect.width ?? 800))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [element])
  return width
}
