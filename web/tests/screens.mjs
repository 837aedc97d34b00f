// Pictures of the whole interface against the mock, to be looked at: `npm run build && npm run screens [folder]`.
// Needs a Chromium (CHROMIUM, default /usr/bin/chromium). Fails on any error on the page's console.

import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const OUT = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'atalaia-screens-'))
const ONLY = process.argv[3]
const PORT = Number(process.env.PORT ?? 8099)
const BASE = `http://127.0.0.1:${PORT}`
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
const OLT = 'default/olt/rjo-01'
const problems = []

const mockFile = fileURLToPath(new URL('../mock/server.mjs', import.meta.url))
const mocks = []
async function mock(port, env = {}) {
  const child = spawn(process.execPath, [mockFile], {
    env: { ...process.env, PORT: String(port), ...env },
    stdio: 'inherit',
  })
  mocks.push(child)
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    if (
      await fetch(`http://127.0.0.1:${port}/`).then(
        r => r.ok,
        () => false,
      )
    )
      return
    await new Promise(done => setTimeout(done, 50))
  }
  throw new Error('the mock did not start')
}

const lever = (name, body = {}) => fetch(`${BASE}/mock/${name}`, { method: 'POST', body: JSON.stringify(body) })

async function open(browser, { theme = 'dark', language = 'en', width = 1440, height = 900, base = BASE } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language === 'pt' ? 'pt-BR' : 'en-GB',
    timezoneId: 'America/Sao_Paulo',
  })
  await context.addInitScript(
    ([t, l]) => {
      localStorage.setItem('atalaia.theme', t)
      localStorage.setItem('atalaia.language', l)
    },
    [theme, language],
  )
  const page = await context.newPage()
  page.on(
    'console',
    message =>
      message.type() === 'error' &&
      !/Failed to load resource|WebSocket connection/.test(message.text()) &&
      problems.push(message.text()),
  )
  page.on('pageerror', error => problems.push(String(error)))
  page.on(
    'request',
    request => new URL(request.url()).hostname === '127.0.0.1' || problems.push(`request to ${request.url()}`),
  )
  await page.goto(base)
  return page
}

async function login(page) {
  await page.getByTestId('login-username').fill('admin')
  await page.getByTestId('login-password').fill('atalaia')
  await page.getByTestId('login-submit').click()
  await page.locator('[data-testid=live-status][data-state=live]').waitFor({ timeout: 10_000 })
}

async function shot(page, name) {
  await page.waitForTimeout(350)
  await page.screenshot({ path: join(OUT, `${name}.png`) })
  console.log(`${name}.png`)
}

const scenes = {
  async dark(browser) {
    const page = await open(browser)
    await shot(page, 'login-dark-en')
    await login(page)
    await page.locator(`[data-entity="${OLT}"]`).first().waitFor()
    await page.waitForTimeout(2500)
    await shot(page, 'board-dark-en')
    await page.locator(`.olt-card[data-entity="${OLT}"] .olt-name`).click()
    await shot(page, 'olt-dark-en')
    await lever('cut', { entity: `${OLT}/pon/0/1/4` })
    await page.waitForTimeout(1500)
    await page.goto(`${BASE}/network/${OLT}/pon/0/1/4`)
    await page.getByTestId('onu').first().waitFor()
    await shot(page, 'pon-dark-en')
    await lever('heal', { entity: `${OLT}/pon/0/1/4` })
    await page.goto(`${BASE}/network/${OLT}/pon/0/1/0`)
    await page.getByTestId('onu').first().waitFor()
    await page.getByTitle('List').click()
    await shot(page, 'pon-list-dark-en')
    await page.getByTestId('search-input').fill('padaria')
    await page.getByTestId('search-result').first().waitFor()
    await shot(page, 'search-dark-en')
    await page.goto(`${BASE}/device/${OLT}/onu/0/1/0/1`)
    await page.getByTestId('device-state').waitFor()
    await shot(page, 'device-dark-en')
    await page.locator('.entry-line').first().click()
    await page.getByRole('button', { name: '7 days' }).click()
    await shot(page, 'device-open-dark-en')
    await page.keyboard.press('?')
    await shot(page, 'shortcuts-dark-en')
    await page.goto(`${BASE}/device/HWTC00000000`)
    await shot(page, 'missing-dark-en')
    await page.context().close()
  },
  async light(browser) {
    const page = await open(browser, { theme: 'light', language: 'pt' })
    await shot(page, 'login-light-pt')
    await login(page)
    await page.waitForTimeout(1500)
    await shot(page, 'board-light-pt')
    await page.goto(`${BASE}/network/default/olt/sao-01/pon/0/1/6`)
    await page.getByTestId('onu').first().waitFor()
    await page.getByLabel('Filtrar eventos').click()
    await shot(page, 'pon-light-pt')
    await page.getByTestId('onu').nth(3).click()
    await page.getByTestId('device-state').waitFor()
    await shot(page, 'device-light-pt')
    await page.goto(`${BASE}/device/rjo-01`)
    await page.getByTestId('device-state').waitFor()
    await shot(page, 'device-olt-light-pt')
    await page.context().close()
  },
  async narrow(browser) {
    const page = await open(browser, { language: 'pt', width: 1024, height: 768 })
    await login(page)
    await page.waitForTimeout(1500)
    await shot(page, 'board-1024-pt')
    await page.goto(`${BASE}/network/${OLT}/pon/0/1/0`)
    await page.getByTestId('onu').first().waitFor()
    await shot(page, 'pon-1024-pt')
    await page.context().close()
    const phone = await open(browser, { language: 'pt', width: 390, height: 844 })
    await login(phone)
    await phone.waitForTimeout(1000)
    await shot(phone, 'board-phone-pt')
    await phone.goto(`${BASE}/network/${OLT}/pon/0/1/0`)
    await phone.getByTestId('onu').first().waitFor()
    await shot(phone, 'pon-phone-pt')
    await phone.goto(`${BASE}/device/${OLT}/onu/0/1/0/0`)
    await phone.getByTestId('device-state').waitFor()
    await shot(phone, 'device-phone-pt')
    await phone.context().close()
  },
  async states(browser) {
    await mock(PORT + 1, { EMPTY: '1' })
    const empty = await open(browser, { language: 'pt', base: `http://127.0.0.1:${PORT + 1}` })
    await login(empty)
    await empty.getByTestId('empty').waitFor()
    await shot(empty, 'empty-dark-pt')
    await empty.context().close()
    const page = await open(browser)
    await page.getByTestId('login-username').fill('admin')
    await page.getByTestId('login-password').fill('wrong')
    await page.getByTestId('login-submit').click()
    await shot(page, 'login-wrong-dark-en')
    await login(page)
    await lever('drop', { seconds: 5 })
    await page.locator('[data-testid=live-status][data-state=lost]').waitFor()
    await page.waitForTimeout(2500)
    await shot(page, 'lost-dark-en')
    await page.locator('[data-testid=live-status][data-state=live]').waitFor({ timeout: 20_000 })
    await shot(page, 'resumed-dark-en')
    await page.context().close()
  },
}

await mock(PORT)
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS })
try {
  for (const [name, scene] of Object.entries(scenes)) if (!ONLY || ONLY === name) await scene(browser)
} finally {
  await browser.close()
  for (const child of mocks) child.kill()
}
console.log(`pictures in ${OUT}`)
if (problems.length > 0) {
  console.error(`problems on the pages:\n${[...new Set(problems)].join('\n')}`)
  process.exitCode = 1
}
