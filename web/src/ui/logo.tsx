/** The watchtower the name means, its light on both sides. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path className="logo-tower" d="M12.2 12.6h7.6L21.9 28H10.1z" />
      <rect className="logo-lamp" x="10.6" y="6.6" width="10.8" height="4.2" rx="1.4" />
      <path className="logo-lamp" d="M12.2 5.2 16 2.6l3.8 2.6z" />
      <path className="logo-beam" d="M22.4 8.7 31 4.6v8.2zM9.6 8.7 1 4.6v8.2z" />
    </svg>
  )
}
