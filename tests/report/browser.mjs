// The browser of these tests, and what they ask of a page. A page that logs an error, or asks for anything but itself,
// fails the test that opened it.
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { after, before } from 'node:test';

function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const candidates = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(77);
}

// What a test of the page is called with: UMBER PACKAGES SAMPLE.json ... (PACKAGES: where npm has put playwright-core.)
// A report of the samples is made before the tests, and `opened` shows a page in the browser; without one all is skipped.
export function pageOfSamples() {
  const [umber, packages, ...samples] = process.argv.slice(2);
  return pageOf(umber, packages, () => samples);
}

// The same of documents that are made, in the folder that is given, when it is known that there is a browser.
export function pageOf(umber, packages, made) {
  const launch = launchedOrSkipped(packages);
  const scratch = mkdtempSync(join(tmpdir(), 'umber-report-'));
  const report = join(scratch, 'report.html');
  const samples = made(scratch);
  const documents = Object.fromEntries(samples.map((path) => [basename(path), JSON.parse(readFileSync(path, 'utf8'))]));
  let browser;
  before(async () => {
    execFileSync(umber, ['report', ...samples, '-o', report]);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    rmSync(scratch, { recursive: true });
  });
  const opened = async (options, body) => {
    const { page, close } = await open(browser, options.file ?? report, options);
    await body(page);
    await close();
  };
  return { umber, packages, scratch, documents, gc: documents['bench_gc_sample.json'], opened };
}

// What starts the browser; where there is none, or no playwright-core, the test ends here and is skipped.
export function launchedOrSkipped(packages) {
  const executablePath = findChromium();
  if (!executablePath) skip('there is no chromium; tools/setup installs it');
  // The build goes on without the page where npm reaches no registry.
  if (statSync(join(packages, '..', 'report.html')).size === 0)
    skip('npm could not fetch what the page is made of when umber was built');
  const { chromium } = createRequire(resolve(packages, 'package.json'))('playwright-core');
  // As root Chromium has no sandbox to offer; the page is our own.
  return () => chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [], timeout: 60000 });
}

async function open(browser, file, { width = 1280, dark = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
    offline: true,
  });
  context.setDefaultTimeout(30000);
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && request.url() !== `file://${file}`) faults.push(request.url());
  });
  await page.goto(`file://${file}`);
  await page.waitForSelector('html[data-ready]');
  return {
    page,
    close: async () => {
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}

// All cells that say where their figure stands.
export function placedCells(page) {
  return page.$$eval('td[data-from]', (cells) =>
    cells.map((cell) => ({
      from: cell.dataset.from,
      value: cell.dataset.value,
      kind: cell.dataset.kind,
      text: cell.querySelector('.amount').textContent,
    })),
  );
}

const units = {
  '': 1,
  ns: 1,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  '×': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  '%': 0.01,
};

// The number that a reader takes from a text such as "153 µs", and how far from it the rounded one may have been.
export function numberIn(text) {
  const [, amount, decimals = '', unit] =
    /^(-?\d+(?:\.(\d+))?)\s*(\S*)$/.exec(text) ?? assert.fail(`'${text}' is no figure`);
  assert.ok(unit in units, `'${text}' has an unknown unit`);
  return { number: Number(amount) * units[unit], rounding: 0.5001 * 10 ** -decimals.length * units[unit] };
}

// The value that stands in the documents at a place such as `gc.json/rows/0/median/wall_ns`.
export function valueAt(documents, place) {
  const [file, ...path] = place.split('/');
  return path.reduce((value, step) => value?.[step], documents[file]);
}

// The cells whose figure is not the one of the documents, or is not written as it is.
export function wrongCells(cells, documents) {
  return cells.filter(({ from, value, text }) => {
    const expected = valueAt(documents, from);
    if (typeof expected !== 'number' || Number(value) !== expected) return true;
    const { number, rounding } = numberIn(text);
    return Math.abs(number - expected) > rounding;
  });
}
