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

/**
 * A serial as it is kept, from any form in which people copy it: `48575443-B611001C`, `485754 43b611001c` and
 * `hwtc-b611001c` are `HWTCB611001C`. What is no serial comes back without its blanks and strokes.
 */
export function plainSerial(text: string): string {
  const plain = text.replace(/[\s:.-]/g, '').toUpperCase()
  const vendor = /^((?:4[1-9A-F]|5[0-9A]){4})([0-9A-F]{0,8})$/.exec(plain)
  if (!vendor?.[1]) return plain
  return vendor[1].replace(/../g, pair => String.fromCharCode(Number.parseInt(pair, 16))) + vendor[2]
}

/** As an escape that a person can read: `\\x1b`, `\\u202e`. */
function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const hex = code.toString(16)
  return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
}
