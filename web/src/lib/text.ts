/** Longest text of a device that is put on a screen, in characters. */
const SHOWN_MAX = 512

/**
 * Makes text that a device or a person wrote safe to look at: React already keeps HTML inert; this takes the power from
 * control characters (terminal escapes), from marks that turn the direction of writing, and from invisible ones.
 */
export function inert(text: string | null | undefined): string {
  if (!text) return ''
  const cut = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, visible)
}

/** Lower case without accents, as the server searches: "imaginario" finds "Imaginário". */
export const fold = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()

/** As an escape that a person can read: `\\x1b`, `\\u202e`. */
function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const hex = code.toString(16)
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
}
