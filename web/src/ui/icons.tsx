import type { ReactNode } from 'react'

/** Own line icons on a 16 px grid; always beside or inside something that has a name, so hidden from readers. */
function icon(content: ReactNode) {
  return function Icon({ size = 16, className }: { size?: number; className?: string }) {
    return (
      <svg
        className={className ? `icon ${className}` : 'icon'}
        width={size}
        height={size}
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {content}
      </svg>
    )
  }
}

export const Check = icon(<path d="m3.5 8.5 3 3 6-7" />)
export const Cross = icon(<path d="m4 4 8 8M12 4l-8 8" />)
export const Bolt = icon(<path d="M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z" />)
export const Cut = icon(<path d="M1.5 8H5M11 8h3.5M6.5 11.5l3-7M5 8l1.2-1.2M11 8 9.8 9.2" />)
export const PowerOff = icon(<path d="M8 2v5.5M4.7 4.2a5 5 0 1 0 6.6 0" />)
export const Restart = icon(<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.8h-2.8" />)
export const Rogue = icon(<path d="M8 2 1.8 13h12.4zM8 6.5v3M8 11.3v.1" />)
export const Dot = icon(<circle cx="8" cy="8" r="2.2" fill="currentColor" stroke="none" />)
export const Question = icon(<path d="M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12v.1" />)
export const Ghost = icon(<circle cx="8" cy="8" r="5" strokeDasharray="2.4 2.2" />)
export const Chevron = icon(<path d="m6 4 4 4-4 4" />)
export const Search = icon(
  <>
    <circle cx="7" cy="7" r="4.2" />
    <path d="m10.2 10.2 3.3 3.3" />
  </>,
)
export const Sun = icon(
  <>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9" />
  </>,
)
export const Moon = icon(<path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z" />)
export const User = icon(
  <>
    <circle cx="8" cy="5.5" r="2.6" />
    <path d="M3 13.5c.6-2.6 2.5-3.8 5-3.8s4.4 1.2 5 3.8" />
  </>,
)
export const Pause = icon(<path d="M5.5 3.5v9M10.5 3.5v9" />)
export const Play = icon(<path d="M5 3.2v9.6L12.5 8z" />)
export const Filter = icon(<path d="M2 4h12M4.5 8h7M7 12h2" />)
export const Keyboard = icon(
  <>
    <rect x="1.5" y="4" width="13" height="8" rx="1.5" />
    <path d="M4 6.7h.1M6.7 6.7h.1M9.3 6.7h.1M12 6.7h.1M5 9.5h6" />
  </>,
)
export const Copy = icon(
  <>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 3.5a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1" />
  </>,
)
export const Back = icon(<path d="M10 3.5 5.5 8l4.5 4.5" />)
export const SignOut = icon(<path d="M6.5 2.5h-3a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3M10 11l3-3-3-3M13 8H6" />)
export const Eye = icon(
  <>
    <path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z" />
    <circle cx="8" cy="8" r="1.9" />
  </>,
)
export const EyeOff = icon(
  <path d="M6.3 3.8A6 6 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a11 11 0 0 1-1.7 2.2M4.2 5A11 11 0 0 0 1.5 8S4 12.5 8 12.5c1.4 0 2.6-.5 3.6-1.2M2.5 2.5l11 11" />,
)
export const Unplugged = icon(
  <path d="M1.5 8h3M4.5 5.5v5M4.5 6.5h2M4.5 9.5h2M14.5 8h-3M11.5 5.2a2.8 2.8 0 0 0 0 5.6z" />,
)
export const LockOpen = icon(
  <>
    <rect x="3" y="7" width="10" height="7" rx="1.5" />
    <path d="M5.5 7V4.6a2.5 2.5 0 0 1 4.8-1M8 9.8v1.4" />
  </>,
)
export const Plus = icon(<path d="M8 3.5v9M3.5 8h9" />)
export const Hand = icon(
  <>
    <circle cx="8" cy="5" r="2.4" />
    <path d="M3 13.5a5 5 0 0 1 10 0M13.5 2.5v3.2M13.5 7.8v.1" />
  </>,
)
export const Grid = icon(<path d="M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4zM9.5 9.5h4v4h-4z" />)
export const List = icon(<path d="M2.5 4h11M2.5 8h11M2.5 12h11" />)
export const ArrowUp = icon(<path d="M8 12.5v-9M4 7.5l4-4 4 4" />)
export const Olt = icon(
  <>
    <rect x="2" y="3" width="12" height="10" rx="1.5" />
    <path d="M2 6.3h12M2 9.7h12M4.3 4.7h.1M4.3 8h.1M4.3 11.4h.1" />
  </>,
)
export const Board = icon(
  <>
    <rect x="2" y="5" width="12" height="6" rx="1.2" />
    <path d="M4.5 8h.1M7 8h.1M9.5 8h.1M12 8h.1" />
  </>,
)
export const Pon = icon(<path d="M2 8h4M6 8l3-4h5M6 8h8M6 8l3 4h5" />)
export const Onu = icon(
  <>
    <rect x="2" y="8" width="12" height="5" rx="1.2" />
    <path d="M4.5 10.5h.1M7 10.5h.1M11.5 8V3.5" />
  </>,
)
export const Expand = icon(<path d="m5 6 3-3 3 3M5 10l3 3 3-3" />)
export const Collapse = icon(<path d="m5 3 3 3 3-3M5 13l3-3 3 3" />)
export const Pin = icon(
  <path d="M8 14.5S3 9.8 3 6.4a5 5 0 0 1 10 0c0 3.4-5 8.1-5 8.1zM8 8a1.7 1.7 0 1 0 0-3.4A1.7 1.7 0 0 0 8 8z" />,
)
export const Bell = icon(<path d="M4 11V7a4 4 0 0 1 8 0v4l1.2 1.5H2.8zM6.8 14.2h2.4" />)
export const BellOff = icon(<path d="M12 9.5V7a4 4 0 0 0-6.6-3M4 6.6V11l-1.2 1.5h9M6.8 14.2h2.4M2 2l12 12" />)
export const Comment = icon(<path d="M2.5 3.5h11v7.5H8l-3 2.5V11H2.5z" />)
export const Acknowledge = icon(
  <>
    <circle cx="8" cy="8" r="5.8" />
    <path d="m5.4 8.2 1.8 1.8 3.4-3.8" />
  </>,
)
export const Undo = icon(<path d="M3 6.5h6.5a3.2 3.2 0 0 1 0 6.5H6M3 6.5 6 3.5M3 6.5l3 3" />)
export const Branch = icon(
  <path d="M2 8h4M6 8c2 0 1.5-4 4-4h4M6 8c2 0 1.5 4 4 4h1.5M12.5 10.8l2 2.4M14.5 10.8l-2 2.4" />,
)
export const Hourglass = icon(<path d="M4 2h8M4 14h8M5 2c0 3.5 6 3.5 6 6s-6 2.5-6 6M11 2c0 3.5-6 3.5-6 6s6 2.5 6 6" />)
export const Area = icon(
  <>
    <path d="M8.8 3.5 6.2 8h3.2l-1.2 4.2" />
    <circle cx="8" cy="8" r="6.2" strokeDasharray="2.2 2.1" />
  </>,
)
export const Building = icon(<path d="M3 14V3.5L9 2v12M9 6.5l4 1V14M1.5 14h13M5.3 5.5h1M5.3 8h1M5.3 10.5h1M11 10h.1" />)
export const Sliders = icon(
  <>
    <path d="M2 4.5h6M11.5 4.5H14M2 11.5h2.5M8 11.5h6" />
    <circle cx="9.8" cy="4.5" r="1.7" />
    <circle cx="6.2" cy="11.5" r="1.7" />
  </>,
)
export const Card = icon(
  <>
    <rect x="2.5" y="2" width="6" height="12" rx="1.2" />
    <path d="M5.5 5v2.5M5.5 10.5v.1M11 3.5h2.5M11 8h2.5M11 12.5h2.5" />
  </>,
)
export const Chart = icon(<path d="M2 2.5V13h12M4.5 10l3-3.5 2.5 2L14 4" />)
export const Table = icon(
  <>
    <rect x="2" y="3" width="12" height="10" rx="1.2" />
    <path d="M2 6.3h12M2 9.7h12M6.5 3v10" />
  </>,
)
export const Trash = icon(<path d="M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9" />)
export const Edit = icon(<path d="m3 13 .6-2.8 7-7 2.2 2.2-7 7zM9.3 4.5l2.2 2.2" />)
export const Critical = icon(<path d="M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM8 5v3.6M8 11v.1" />)
export const Minor = icon(<path d="m8 1.8 6.2 6.2L8 14.2 1.8 8zM8 5.5v2.8M8 10.4v.1" />)
export const Warning = icon(
  <>
    <circle cx="8" cy="8" r="6" />
    <path d="M8 5v3.4M8 10.9v.1" />
  </>,
)
