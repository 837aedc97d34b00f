import { setLanguage, useSpeech } from '../i18n'
import * as Icons from '../ui/icons'
import { toggleTheme, useTheme } from './theme'

export function LanguageSwitch() {
  const { m, language } = useSpeech()
  return (
    <button
      type="button"
      className="bar-button bar-text"
      onClick={() => setLanguage(language === 'pt' ? 'en' : 'pt')}
      aria-label={`${m.language.short} · ${m.language.switchTo}`}
      title={m.language.switchTo}
      data-testid="language-switch"
    >
      {m.language.short}
    </button>
  )
}

export function ThemeSwitch() {
  const { m } = useSpeech()
  const theme = useTheme()
  return (
    <button
      type="button"
      className="bar-button"
      onClick={toggleTheme}
      aria-label={m.header.theme}
      title={m.header.theme}
      data-testid="theme-switch"
    >
      {theme === 'dark' ? <Icons.Sun /> : <Icons.Moon />}
    </button>
  )
}
