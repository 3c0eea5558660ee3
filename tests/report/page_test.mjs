// The page of `umber report` in Chromium: it needs nothing but itself, and its numbers are those of the documents.
//
//   page_test.mjs UMBER PACKAGES SAMPLE.json ...         (PACKAGES: where npm has put playwright-core)
//   SCREENSHOTS=FOLDER page_test.mjs ...                 leaves pictures of the page there
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { numberIn, pageOfSamples, placedCells, wrongCells } from './browser.mjs';

const { umber, scratch, documents, gc, opened } = pageOfSamples();

const visible = (page, text) => page.locator('#workloads table:visible thead th', { hasText: text }).isVisible();

test('every number on the page is the one in the documents, and the check would see another', async () => {
  await opened({}, async (page) => {
    const cells = await placedCells(page);
    assert.deepEqual(wrongCells(cells, documents), []);
    assert.ok(cells.length > 300, `only ${cells.length} cells`);
    const planted = structuredClone(documents);
    planted['bench_gc_sample.json'].rows[0].median.wall_ns *= 1.02;
    assert.ok(wrongCells(cells, planted).length > 0);
    const misread = cells.map((cell, i) => (i === 5 ? { ...cell, text: '1.23 s' } : cell));
    assert.equal(wrongCells(misread, documents).length, 1);
  });
});

test('every row of the main part has its figures in the table of workloads', async () => {
  await opened({}, async (page) => {
    const places = new Set((await placedCells(page)).map((cell) => cell.from));
    gc.rows.forEach((row, i) => {
      if (row.part !== 'main' || row.problem) return;
      for (const figure of row.paced
        ? ['response_p99.9_ns', 'response_max_ns', 'peak_rss']
        : ['wall_ns', 'process_ns', 'peak_rss']) {
        assert.ok(places.has(`bench_gc_sample.json/rows/${i}/median/${figure}`), `${row.row} ${row.system} ${figure}`);
      }
    });
  });
});

test('every target is shown with what was measured, and a missed one says so', async () => {
  await opened({}, async (page) => {
    const rows = await page.$$eval('#targets tbody tr', (all) => all.map((each) => each.textContent));
    assert.equal(rows.length, gc.targets.length);
    gc.targets.forEach((each, i) => {
      assert.ok(rows[i].startsWith(each.row) && rows[i].endsWith(each.met ? 'met' : 'missed'), rows[i]);
    });
    const places = new Set((await placedCells(page)).map((cell) => cell.from));
    assert.ok(places.has('bench_gc_sample.json/targets/0/at_most') && places.has('bench_gc_sample.json/targets/3/machine'));
  });
});

test('the means at a glance are the geometric means of the ratios to umber', async () => {
  await opened({}, async (page) => {
    const main = gc.rows.filter((row) => row.part === 'main' && !row.problem);
    const logs = main
      .filter((row) => row.system === 'go')
      .map((row) => {
        const base = main.find((each) => each.row === row.row && each.system === 'umber');
        return base ? Math.log(row.median.peak_rss / base.median.peak_rss) : NaN;
      })
      .filter((each) => !Number.isNaN(each));
    const mean = Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length);
    const cell = page
      .locator('#glance tbody tr', { has: page.locator('th', { hasText: /^go$/ }) })
      .locator('td.figure')
      .last();
    assert.ok(Math.abs(Number(await cell.getAttribute('data-value')) / mean - 1) < 1e-9);
  });
});

test('what one client of a server felt while it collected stands beside all that it felt', async () => {
  await opened({}, async (page) => {
    await page.evaluate(() => {
      for (const select of document.querySelectorAll('#latency select')) {
        const wanted = [...select.options].find((each) => each.text.startsWith('kv'));
        if (wanted) [select.value] = [wanted.value];
        if (wanted) select.dispatchEvent(new Event('change', { bubbles: true }));
      }
      for (const folded of document.querySelectorAll('#latency details')) folded.open = true;
    });
    const lines = await page.locator('#latency tbody tr').allTextContents();
    const found = (name) => lines.filter((each) => each.startsWith(name));
    assert.equal(found('umber, the same during collections').length, 1, lines.join('\n'));
    assert.equal(found('umber, a client beside the load').length, 1);
    assert.equal(found('redis, a client beside the load').length, 1);
    assert.equal(found('redis, the same during collections').length, 0);
    const row = gc.rows.findIndex((each) => each.row.startsWith('kv') && each.system === 'umber');
    const cell = page.locator(`[data-from$="rows/${row}/runs/0/probe_collecting_ns/p99.9"]`);
    assert.equal(Number(await cell.first().getAttribute('data-value')), gc.rows[row].runs[0].probe_collecting_ns['p99.9']);
  });
});

test('what failed is told', async () => {
  await opened({}, async (page) => {
    const told = await page.locator('.problems').allTextContents();
    assert.match(told.join('\n'), /the systems disagree: .*9e3779b97f4a7c16/);
    assert.match(told.join('\n'), /cfrac under glibc: ended by signal 11/);
  });
});

test('a system that is hidden is hidden everywhere, by the keyboard alone', async () => {
  await opened({}, async (page) => {
    assert.ok(await visible(page, /^go$/));
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    const button = page.locator('.system', { hasText: /^go$/ });
    for (let i = 0; i < 60 && !(await button.evaluate((each) => each === document.activeElement)); ++i)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    assert.ok(!(await visible(page, /^go$/)));
    assert.equal(await page.locator('#glance tbody th:visible', { hasText: /^go$/ }).count(), 0);
    assert.equal(await page.locator('#timeline .card:visible h3', { hasText: /^go$/ }).count(), 0);
    await page.keyboard.press('Shift+Enter');
    assert.ok((await visible(page, /^go$/)) && !(await visible(page, /^umber$/)), 'with shift it is alone');
    await page.keyboard.press('Shift+Enter');
    assert.ok(await visible(page, /^umber$/), 'and once more, all are back');
  });
});

test('arrow keys read the values of a chart, and choose a figure', async () => {
  await opened({}, async (page) => {
    const stage = page.locator('#latency .stage').first();
    await stage.focus();
    const voice = page.locator('#latency [aria-live]').first();
    const name = await page.locator('#latency .chooser b, #latency .chooser option:checked').first().textContent();
    const row = gc.rows.find((each) => each.row === name && each.system === 'umber' && each.part === 'main');
    let heard = '';
    for (let i = 0; i < 120 && !heard.startsWith('99\u202f%'); ++i) {
      await page.keyboard.press('ArrowRight');
      heard = await voice.textContent();
    }
    const told = /umber, response[,\s]+([\d.]+\s\S+?)(,|$)/.exec(heard) ?? assert.fail(heard);
    assert.ok(
      Math.abs(numberIn(told[1]).number / row.runs[row.shown].response_ns.p99 - 1) < 0.02,
      `${heard} against ${row.runs[row.shown].response_ns.p99}`,
    );
    await page.locator('#workloads input[type=radio]').first().focus();
    await page.keyboard.press('ArrowRight');
    assert.match(await page.locator('#workloads table:visible caption').first().textContent(), /^Processor/);
  });
});

test('plus zooms in and 0 shows all again', async () => {
  await opened({}, async (page) => {
    const stage = page.locator('#latency .stage').first();
    await stage.scrollIntoViewIfNeeded();
    const picture = async () => (await stage.locator('canvas').evaluate((canvas) => canvas.toDataURL())).length;
    const whole = await picture();
    await stage.focus();
    await page.keyboard.press('+');
    await page.waitForTimeout(100);
    assert.notEqual(await picture(), whole);
    await page.keyboard.press('0');
    await page.waitForTimeout(100);
    assert.equal(await picture(), whole);
  });
});

test('light and dark follow the system, and the button', async () => {
  const brightness = (page) =>
    page.evaluate(() =>
      getComputedStyle(document.body)
        .backgroundColor.match(/\d+/g)
        .slice(0, 3)
        .reduce((a, b) => a + Number(b), 0),
    );
  await opened({ dark: true }, async (page) => {
    const chart = () =>
      page
        .locator('#latency canvas')
        .first()
        .evaluate((canvas) => canvas.toDataURL());
    const dark = await chart();
    assert.ok((await brightness(page)) < 150);
    await page.locator('.theme').click();
    assert.ok((await brightness(page)) > 600);
    await page.waitForTimeout(100);
    assert.notEqual(await chart(), dark, 'charts are drawn anew');
  });
  await opened({}, async (page) => assert.ok((await brightness(page)) > 600));
});

test('nothing overlaps or sticks out, wide or narrow', async () => {
  for (const [width, dark] of [
    [1280, false],
    [700, false],
    [420, false],
    [420, true],
  ]) {
    await opened({ width, dark }, async (page) => {
      const found = await page.evaluate(() => {
        const faults = [];
        if (document.documentElement.scrollWidth > innerWidth)
          faults.push(`the page is ${document.documentElement.scrollWidth} wide`);
        const shown = [
          ...document.querySelectorAll(
            'h1, h2, h3, p, figcaption, caption, nav, .systems, .theme, .stage, .scroll, summary, .axis-title, dl, .tabs',
          ),
        ].filter(
          (each) =>
            each.offsetParent &&
            !each.closest('details:not([open]) > :not(summary)') &&
            !each.classList.contains('unseen'),
        );
        const boxes = shown
          .map((each) => ({ each, box: each.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 1 && box.height > 1);
        for (const a of boxes) {
          for (const b of boxes) {
            if (a === b || a.each.contains(b.each) || b.each.contains(a.each)) continue;
            const over =
              Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 2 &&
              Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 2;
            if (over && !a.each.closest('#bar') && !b.each.closest('#bar'))
              faults.push(`${a.each.outerHTML.slice(0, 90)} over ${b.each.outerHTML.slice(0, 90)}`);
          }
        }
        return faults;
      });
      assert.deepEqual(found, []);
      if (process.env.SCREENSHOTS)
        await page.screenshot({
          path: join(process.env.SCREENSHOTS, `report-${width}${dark ? '-dark' : ''}.png`),
          fullPage: true,
        });
    });
  }
});

test('text in the data stays text', async () => {
  const nasty = '</script><script>globalThis.caught = 1</script><img src=x onerror="globalThis.caught = 1">';
  const file = join(scratch, 'nasty.json');
  const hostile = structuredClone(gc);
  hostile.environment[nasty] = nasty;
  for (const row of hostile.rows)
    if (row.system === 'go') {
      row.system = nasty;
      row.command = nasty;
    }
  hostile.missing = [{ system: '__proto__', remedy: nasty }];
  writeFileSync(file, JSON.stringify(hostile));
  execFileSync(umber, ['report', file, '-o', join(scratch, 'nasty.html')]);
  await opened({ file: join(scratch, 'nasty.html') }, async (page) => {
    assert.equal(await page.evaluate(() => globalThis.caught), undefined);
    assert.ok((await page.locator('#environment').textContent()).includes(nasty));
  });
});

test('a document with next to nothing in it is a page all the same', async () => {
  const file = join(scratch, 'bare.json');
  for (const bare of [
    { bench: 'gc', rows: [] },
    { bench: 'malloc', baseline: 'x', rows: [] },
    {
      bench: 'gc',
      rows: [
        { row: 'a', part: 'main', system: 'b', problem: 'ran out of memory' },
        { row: 'a', part: 'main', system: 'c', median: {}, runs: [{}] },
      ],
    },
  ]) {
    writeFileSync(file, JSON.stringify(bare));
    execFileSync(umber, ['report', file, '-o', join(scratch, 'bare.html')]);
    await opened({ file: join(scratch, 'bare.html') }, async (page) =>
      assert.ok(await page.locator('#environment').isVisible()),
    );
  }
});
