// A sleep of 5 ms that is planted in a mutator's barrier is on the page of that run, with its cause and at its time.
//
//   stall_test.mjs UMBER PACKAGES PLANTED_STALL_TEST
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { numberIn, pageOf, placedCells, wrongCells } from './browser.mjs';

const [umber, packages, planted] = process.argv.slice(2);
const { documents, opened } = pageOf(umber, packages, (folder) => {
  const file = join(folder, 'planted.json');
  execFileSync(planted, { env: { ...process.env, PLANTED_STALL_DOCUMENT: file }, stdio: ['ignore', 'ignore', 'inherit'] });
  return [file];
});
const { planted_from_ns: from, planted_to_ns: to } = documents['planted.json'].rows[0].runs[0].figures;
const sleep = 5e6;

// The cells of each row of a table, figures as the exact numbers.
function rowsOf(page, where) {
  return page.$$eval(where, (all) =>
    all.map((row) => [...row.cells].map((cell) => (cell.dataset.value ? Number(cell.dataset.value) : cell.textContent))),
  );
}

test('among the longest pauses there is one of at least 5 ms, a flush, in the operation with the sleep', async () => {
  await opened({}, async (page) => {
    assert.deepEqual(wrongCells(await placedCells(page), documents), []);
    const rows = await rowsOf(page, '#timeline figure:last-child tbody tr');
    const found = rows.filter(([cause, ns, at]) => cause === 'flush' && ns >= sleep && at >= from && at + ns <= to);
    assert.ok(found.length > 0, `between ${from} and ${to}: ${JSON.stringify(rows)}`);
  });
});

test('flushes are the cause whose longest stall is that long', async () => {
  await opened({}, async (page) => {
    const rows = await rowsOf(page, '#latency details:last-child tbody tr');
    const flush = rows.find(([, cause]) => cause === 'flush') ?? assert.fail(JSON.stringify(rows));
    assert.ok(flush[5] >= sleep, JSON.stringify(flush));
  });
});

test('the plot of pauses has a point there, and tells of it', async () => {
  await opened({}, async (page) => {
    const stage = page.locator('#timeline .stage[aria-label^="Pauses"]');
    await stage.focus();
    const voice = page.locator('#timeline figure:last-child [aria-live]');
    let found = false;
    for (let i = 0, last = ''; i < 1500 && !found; ++i) {
      await page.keyboard.press(i === 0 ? 'Home' : 'ArrowRight');
      const heard = await voice.textContent();
      if (heard === last) continue;
      last = heard;
      const [cause, length, at] = heard.split(', ');
      const [ns, instant] = [numberIn(length), numberIn(at.replace(/^at /, ''))];
      found =
        cause === 'flush' &&
        ns.number + ns.rounding >= sleep &&
        instant.number + instant.rounding >= from &&
        instant.number - instant.rounding <= to;
    }
    assert.ok(found);
  });
});
