// What the browser scripts share: the mock beside a headless Chromium, and every complaint of a page kept.
// Chromium: CHROMIUM, default /usr/bin/chromium. The page must be built (`npm run build`).

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const MOCK = fileURLToPath(new URL('../mock/server.mjs', import.meta.url))
/** What a page may say when its server is taken away on purpose. */
const EXPECTED = /Failed to load resource|WebSocket connection/

/** Runs `act` with a browser, and stops everything it started. */
export async function withBrowser(act) {
  const children = []
  const problems = new Set()
  const harness = {
    problems,
    async mock(port, env = {}) {
      const child = spawn(process.execPath, [MOCK], {
        env: { ...process.env, PORT: String(port), ...env },
        stdio: 'ignore',
      })
      children.push(child)
      const base = `http://127.0.0.1:${port}`
      const deadline = Date.now() + 10_000
      while (Date.now() < deadline) {
        const up = await fetch(base).then(
          response => response.ok,
          () => false,
        )
        if (up) return base
        await new Promise(done => setTimeout(done, 50))
      }
      throw new Error('the mock does not answer; is the page built?')
    },
    lever: (base, name, body = {}) => fetch(`${base}/mock/${name}`, { method: 'POST', body: JSON.stringify(body) }),
    async open(
      base,
      { theme = 'dark', language = 'en', width = 1440, height = 900, reducedMotion = 'no-preference' } = {},
    ) {
      const context = await harness.browser.newContext({
        viewport: { width, height },
        locale: language === 'pt' ? 'pt-BR' : 'en-GB',
        timezoneId: 'America/Sao_Paulo',
        reducedMotion,
      })
      await context.addInitScript(
        ([theme, language]) => {
          localStorage.setItem('atalaia.theme', theme)
          localStorage.setItem('atalaia.language', language)
        },
        [theme, language],
      )
      return harness.watch(await context.newPage(), base)
    },
    async watch(page, base) {
      page.on('console', message => {
        if (message.type() === 'error' && !EXPECTED.test(message.text())) problems.add(message.text())
      })
      page.on('pageerror', error => problems.add(String(error)))
      page.on('dialog', dialog => problems.add(`dialog: ${dialog.message()}`))
      page.on('request', request => {
        if (new URL(request.url()).hostname !== '127.0.0.1') problems.add(`request to ${request.url()}`)
      })
      await page.goto(base)
      return page
    },
    async login(page, password = 'atalaia') {
      await page.getByTestId('login-username').fill('admin')
      await page.getByTestId('login-password').fill(password)
      await page.getByTestId('login-submit').click()
      await live(page)
    },
  }
  harness.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS })
  try {
    await act(harness)
  } finally {
    await harness.browser.close()
    for (const child of children) child.kill()
  }
  if (problems.size > 0) {
    console.error(`the pages complained:\n${[...problems].join('\n')}`)
    process.exitCode = 1
  }
}

/** Waits until the page says this of its connection. */
export const live = (page, state = 'live') =>
  page.locator(`[data-testid=live-status][data-state=${state}]`).waitFor({ timeout: 20_000 })
