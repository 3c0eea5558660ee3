// Makes a picture of a report for the README: the chart of one section, as a reader sees it.
//
//   node picture.mjs PACKAGES REPORT.html PICTURE.png [SECTION]       (SECTION: latency, mmu, scaling, scatter, tuning ...)
//
// PACKAGES is the folder where npm has put playwright-core: in a build, tools/report/report.html.p.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [packages, report, picture, section = 'latency'] = process.argv.slice(2);
if (!picture) {
  console.error('usage: node picture.mjs PACKAGES REPORT.html PICTURE.png [SECTION]');
  process.exit(2);
}
const { chromium } = createRequire(resolve(join(packages, 'package.json')))('playwright-core');
// What a README may weigh: the sharpest picture below it is taken.
const largest = 200_000;

async function take(deviceScaleFactor) {
  const page = await browser.newPage({
    viewport: { width: 1000, height: 900 },
    deviceScaleFactor,
    colorScheme: 'light',
  });
  await page.goto(`file://${resolve(report)}`);
  await page.waitForSelector('html[data-ready]');
  // Neither the bar nor what is folded away belongs in a picture.
  await page.addStyleTag({
    content: '#bar, details { display: none !important; } figure { padding: 12px 4px 8px 12px; }',
  });
  const chart = page.locator(`#${section} figure`).first();
  if ((await chart.count()) === 0) throw new Error(`${report} has no chart in its section ${section}`);
  return chart.screenshot();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
try {
  let taken;
  for (const deviceScaleFactor of [2, 1.5, 1.25, 1]) {
    taken = await take(deviceScaleFactor);
    if (taken.length < largest) break;
  }
  writeFileSync(picture, taken);
} catch (error) {
  console.error(`tools/report/picture.mjs: ${error.message.split('\n')[0]}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
