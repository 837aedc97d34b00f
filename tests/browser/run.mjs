// The product as a person meets it: `atalaia up --demo` in a process of its own, headless Chromium, and net-snmp's
// snmptrap as a device. Run by `make test`; Chromium and snmptrap come from Debian's packages.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const project = join(here, '..', '..');
const { chromium } = createRequire(join(project, 'web', 'package.json'))('playwright-core');
const binary = process.env.ATALAIA_BINARY ?? join(project, 'target', 'debug', 'atalaia');
const shots = process.env.ATALAIA_SCREENSHOTS;

const DEADLINE = 30_000;
const data = mkdtempSync(join(tmpdir(), 'atalaia-browser-'));
let product;
let browser;
let page;
let requests = [];
let frames = [];

/** Starts the product and reads the lines it prints for people. */
async function start(listen) {
  const child = spawn(binary, ['up', '--demo', '--data', data, '--listen', listen, '--seed', '7'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ATALAIA_LOG: 'warn' },
  });
  const said = { child, errors: '' };
  child.stderr.on('data', (chunk) => (said.errors += chunk));
  for await (const line of createInterface({ input: child.stdout })) {
    const board = line.match(/^board\s+(http:\S+)(?:\s+user\s+(\S+)\s+password\s+(\S+))?/);
    if (board) Object.assign(said, { url: board[1], user: board[2], password: board[3] });
    const traps = line.match(/^traps\s+udp\s+(\S+):(\d+)\s+community\s+(\S+)/);
    if (traps) Object.assign(said, { trapPort: traps[2], community: traps[3] });
    if (said.url && said.trapPort) return said;
  }
  throw new Error(`the product ended early:\n${said.errors}`);
}

/** Sends one v2c trap from an OLT's own address, as the OLT would. */
function snmptrap(source, oid, ...varbinds) {
  execFileSync('snmptrap', [
    '-v2c', '-c', product.community, `--clientaddr=${source}`, `127.0.0.1:${product.trapPort}`, '', oid, ...varbinds,
  ]);
}

const P = '1.3.6.1.4.1.2011';
const DYING_GASP = `${P}.6.128.1.1.12.2.2.0.18`;
const POWER_BACK = `${P}.6.128.1.1.12.2.2.0.19`;
const place = (frame, slot, port, onu) => [
  `${P}.6.3.3.1.1.1`, 'i', frame, `${P}.6.3.3.2.1.1`, 'i', slot, `${P}.6.3.3.4.1.1`, 'i', port,
  `${P}.6.128.1.1.2.43.1.1`, 'i', onu,
].map(String);

const count = async (name) => {
  const text = await page.locator(`[data-count="${name}"]`).first().innerText();
  return Number(text.replace(/\D/g, ''));
};
const until = async (what, check) => {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const value = await check();
    if (value) return value;
    assert.ok(Date.now() < end, `not in ${DEADLINE / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const shot = async (name) => {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
};

before(async () => {
  product = await start('127.0.0.1:0');
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' })).newPage();
  page.on('request', (request) => requests.push(request.url()));
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(String(payload))));
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  product?.child.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
});

test('the first-start password opens the board', async () => {
  assert.ok(product.password, 'a first start prints the password');
  await page.goto(product.url);
  await page.getByTestId('login-username').fill(product.user);
  await page.getByTestId('login-password').fill(product.password);
  await page.getByTestId('login-submit').click();
  await page.waitForSelector('[data-testid="live-status"][data-state="live"]', { timeout: DEADLINE });
});

test('the tree shows the OLTs and the ONUs come online', async () => {
  await until('four OLTs', async () => (await page.locator('[data-testid="tree"] [data-entity*="/olt/"]').count()) >= 4);
  await until('most ONUs online', async () => (await count('online')) > 1_500);
  await shot('board');
});

test('a trap of snmptrap changes the board by a WebSocket frame, with no request in between', async () => {
  const onu = 'default/olt/' + (await firstOnu());
  requests = [];
  frames = [];
  const [, name, frame, slot, port, id] = onu.match(/olt\/([^/]+)\/onu\/(\d+)\/(\d+)\/(\d+)\/(\d+)$/);
  const source = sourceOf(name);
  snmptrap(source, DYING_GASP, ...place(frame, slot, port, id));
  await until('a frame about the ONU', () => frames.some((f) => f.includes(onu) && f.includes('dying_gasp')));
  await page.locator(`[data-testid="event-row"][data-entity="${onu}"][data-event="dying_gasp"]`).first()
    .waitFor({ timeout: DEADLINE });
  assert.deepEqual(requests, [], 'nothing was asked for');

  await page.goto(`${product.url}/device/${encodeURIComponent(onu)}`);
  await until('offline, power', async () => /offline/i.test(await page.getByTestId('device-state').innerText()));
  await shot('device');
  snmptrap(source, POWER_BACK, ...place(frame, slot, port, id));
  await until('online again', async () => /online/i.test(await page.getByTestId('device-state').innerText()));
});

test('what is read from the OLTs themselves is on the board: light of an ONU, and how the reading goes', async () => {
  const onu = await until('an ONU with light', async () =>
    (await devices('kind=onu&state=online&limit=50')).items.find((item) => item.optics?.level));
  await page.goto(`${product.url}/device/${encodeURIComponent(onu.entity)}`);
  await page.locator('[data-testid="optics"]:not([data-level=""])').waitFor({ timeout: DEADLINE });
  assert.match(await page.getByTestId('optics').innerText(), /read .+ ago[\s\S]+dBm/);
  await page.goto(`${product.url}/network/${onu.root}`);
  await page.locator('[data-testid="poll"][data-health="good"]').waitFor({ timeout: DEADLINE });
  assert.match(await page.getByTestId('poll').innerText(), /Last good reading[\s\S]+ago[\s\S]+Firmware/);
  await shot('olt');
});

test('search finds a device by its serial, by keyboard alone', async () => {
  await page.goto(product.url);
  await page.waitForSelector('[data-testid="live-status"][data-state="live"]', { timeout: DEADLINE });
  const device = (await devices('kind=onu&limit=1')).items[0];
  await page.keyboard.press('/');
  await page.keyboard.type(device.serial);
  await page.getByText(device.serial).first().waitFor({ timeout: DEADLINE });
  await page.keyboard.press('Enter');
  await until('the device page', async () => (await page.getByTestId('device-serial').innerText()).includes(device.serial));
});

test('the board says whether every datagram is accounted for, and how fresh it is', async () => {
  await page.goto(product.url);
  const strip = page.getByTestId('accounting');
  await page.waitForSelector('[data-testid="accounting"][data-verdict="complete"]', { timeout: DEADLINE });
  await until('probes come through', async () => /fresh within/.test(await strip.innerText()));
  await page.getByTestId('accounting-line').focus();
  await page.keyboard.press('Enter');
  await until('the sums', async () => /\d received =/.test((await strip.innerText()).replace(/\s+/g, ' ')));
  await shot('accounting');
});

test('kill -9 shows an honest board, and it comes back whole', async () => {
  await page.goto(product.url);
  await page.waitForSelector('[data-testid="live-status"][data-state="live"]', { timeout: DEADLINE });
  product.child.kill('SIGKILL');
  await page.waitForSelector('[data-testid="live-status"]:not([data-state="live"])', { timeout: DEADLINE });
  await shot('lost');
  const { user, password } = product;
  product = { ...(await start(new URL(product.url).host)), user, password };
  await page.waitForSelector('[data-testid="live-status"][data-state="live"]', { timeout: DEADLINE });
  await until('the ONUs again', async () => (await count('online')) > 1_500);
});

/** The REST API with the page's own token. */
async function devices(query) {
  const login = await fetch(`${product.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: product.user, password: product.password }),
  });
  const { access_token: token } = await login.json();
  const answer = await fetch(`${product.url}/api/v1/devices?${query}`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  return answer.json();
}

async function firstOnu() {
  const { items } = await devices('kind=onu&state=online&limit=50');
  return items[items.length - 1].entity.replace('default/olt/', '');
}

/** Addresses of the demo's OLTs, in the order of their names. */
let addresses;
function sourceOf(name) {
  addresses ??= new Map(
    execFileSync(binary, ['tail', 'inventory', '--data', data], { maxBuffer: 64 << 20 }).toString().trim().split('\n').map((line) => JSON.parse(line))
      .filter((line) => line.record?.kind === 'olt').map((line) => [line.record.entity.split('/').pop(), line.record.address]),
  );
  return addresses.get(name);
}
