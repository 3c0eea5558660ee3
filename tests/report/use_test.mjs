// The page of `umber report` in use, in Chromium: what the mouse is told, zoom, the legend, the keyboard, and what axe-core
// has to say of it.
//
//   use_test.mjs UMBER PACKAGES SAMPLE.json ...         (PACKAGES: where npm has put playwright-core and axe-core)
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { numberIn, pageOfSamples } from './browser.mjs';

const { packages, documents, gc, opened } = pageOfSamples();
const malloc = documents['malloc_sample.json'];

// The same to three digits, which is what is shown.
function assertNear(text, expected, where) {
  const { number, rounding } = numberIn(text);
  assert.ok(Math.abs(number - expected) <= rounding, `${where}: ${text} against ${expected}`);
}

// Sets the mouse down on a chart, `x` and `y` being shares of its plotting area, and returns what is told there.
async function hover(page, stage, x, y) {
  const box = await stage.locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width * x, box.y + box.height * y);
  return stage.evaluate((each) => {
    const panel = each.querySelector('.tooltip');
    if (panel.hidden) return null;
    const rows = [...panel.querySelectorAll('tr')].map((row) => [...row.cells].map((cell) => cell.textContent));
    return { title: panel.querySelector('b').textContent, rows, lines: panel.innerText.split('\n') };
  });
}

// The places that the arrow keys come to, as `hover` takes them, with what is told there first.
function places(stage) {
  return stage.evaluate((each) => {
    const found = [];
    const over = each.querySelector('.u-over');
    for (let i = 0; i < 200; ++i) {
      each.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
      const [dot, title] = [each.querySelector('.dots i'), each.querySelector('.tooltip b').textContent];
      const place = { x: parseFloat(dot.style.left) / over.clientWidth, y: parseFloat(dot.style.top) / over.clientHeight };
      found.push({ title, ...place });
    }
    return found;
  });
}

async function stageOf(page, section) {
  const stage = page.locator(`#${section} .stage`).first();
  await stage.scrollIntoViewIfNeeded();
  return stage;
}

test('the mouse is told the percentile of the documents at that place', async () => {
  await opened({}, async (page) => {
    const stage = await stageOf(page, 'latency');
    const name = await page.locator('#latency .chooser b, #latency .chooser option:checked').first().textContent();
    const rows = gc.rows.filter((row) => row.row === name && row.part === 'main' && !row.problem);
    const seen = new Set();
    for (const { title, x } of await places(stage)) {
      const percentile = /^(90|99|99\.9|99\.99)\s%$/.exec(title)?.[1];
      if (!percentile || seen.has(percentile)) continue;
      seen.add(percentile);
      const told = await hover(page, stage, x, 0.5);
      assert.equal(told.title, title);
      for (const [label, value] of told.rows) {
        const [system, kind] = [label.slice(0, label.lastIndexOf(', ')), label.slice(label.lastIndexOf(', ') + 2)];
        const row = rows.find((each) => each.system === system.replace('malloc, ', 'malloc:'));
        const exact = row.runs[row.shown][`${kind}_ns`][`p${percentile}`];
        // The curve is drawn by buckets, which are at most 1 % wide.
        assert.ok(Math.abs(numberIn(value).number / exact - 1) < 0.02, `${label}, ${told.title}: ${value}, ${exact}`);
      }
    }
    assert.equal(seen.size, 4, `only ${[...seen]} were come to`);
  });
});

test('the mouse is told the length, the instant and the cause of the pause below it', async () => {
  await opened({}, async (page) => {
    const card = page.locator('#timeline .card', { has: page.locator('h3', { hasText: /^umber$/ }) }).first();
    const stage = card.locator('.stage[aria-label^="Pauses"]');
    await stage.scrollIntoViewIfNeeded();
    const name = await page.locator('#timeline .chooser b, #timeline .chooser option:checked').first().textContent();
    const row = gc.rows.find((each) => each.row === name && each.system === 'umber' && each.part === 'main');
    const { pauses } = row.runs[row.shown];
    for (const place of (await places(stage)).slice(0, 8)) {
      const { title, lines } = await hover(page, stage, place.x, place.y);
      const [length, at] = [numberIn(lines[1]), numberIn(lines[2].replace(/^at /, ''))];
      const fits = ({ ns, at_ns, cause }) =>
        cause === title && Math.abs(ns - length.number) <= length.rounding && Math.abs(at_ns - at.number) <= at.rounding;
      assert.ok(pauses.some(fits), `${title}: ${lines}`);
    }
  });
});

// Where the first and the last value of a chart are, as the keys Home and End say.
async function ends(page, section) {
  const stage = page.locator(`#${section} .stage`).first();
  await stage.focus();
  const found = [];
  for (const key of ['Home', 'End']) {
    await page.keyboard.press(key);
    found.push((await page.locator(`#${section} [aria-live]`).first().textContent()).split(',')[0]);
  }
  return found;
}

test('dragging zooms into what was dragged over, and a double click shows all again', async () => {
  await opened({}, async (page) => {
    const stage = await stageOf(page, 'mmu');
    const [first, last] = await ends(page, 'mmu');
    const box = await stage.locator('.u-over').boundingBox();
    const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
    await page.mouse.move(...at(0.35));
    await page.mouse.down();
    await page.mouse.move(...at(0.5));
    await page.mouse.move(...at(0.65));
    await page.mouse.up();
    const inside = await ends(page, 'mmu');
    const [low, high] = inside.map((text) => numberIn(text).number);
    assert.ok(numberIn(first).number < low && low < high && high < numberIn(last).number, `${first} ${inside} ${last}`);
    await page.mouse.dblclick(...at(0.5));
    assert.deepEqual(await ends(page, 'mmu'), [first, last]);
  });
});

// How many pixels of each chart are just of one colour of the style sheet; a system's line, points and label are.
function pixels(page, colour) {
  return page.$$eval(
    '.stage canvas',
    (all, name) => {
      const [r, g, b] = getComputedStyle(document.documentElement)
        .getPropertyValue(name)
        .trim()
        .match(/[0-9a-f]{2}/g)
        .map((each) => parseInt(each, 16));
      const found = {};
      for (const canvas of all) {
        if (!canvas.offsetParent || canvas.width === 0) continue;
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i] === r && data[i + 1] === g && data[i + 2] === b) ++count;
        const section = canvas.closest('section').id;
        found[section] = (found[section] ?? 0) + count;
      }
      return found;
    },
    colour,
  );
}

test('a system that is hidden in the legend leaves every chart, and comes back to each', async () => {
  await opened({}, async (page) => {
    const charts = ['latency', 'mmu', 'scatter', 'scaling', 'tuning'];
    const whole = await pixels(page, '--sky');
    for (const each of charts) assert.ok(whole[each] > 10, `go is not drawn in ${each}: ${whole[each]}`);
    const button = page.locator('#bar .system', { hasText: /^go$/ });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.waitForTimeout(150);
    const without = await pixels(page, '--sky');
    for (const each of charts) assert.equal(without[each], 0, `go is still drawn in ${each}`);
    await page.keyboard.press('Space');
    await page.waitForTimeout(150);
    assert.deepEqual(await pixels(page, '--sky'), whole);
  });
});

function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

test('collectors and allocators stand in one picture, at the means of their ratios to the malloc that both ran', async () => {
  const main = gc.rows.filter((row) => row.part === 'main' && !row.problem && !row.paced);
  const ratios = (system, figure, place) => {
    const found = main.flatMap((row) => {
      const base = main.find((each) => each.row === row.row && each.system === 'malloc:mimalloc');
      return row.system === system && base ? [row.median[figure] / base.median[figure]] : [];
    });
    const own = malloc.rows.map((row) => row.results[system.replace(/^malloc:/, '')]?.[place]);
    return system.startsWith('malloc:') ? [...found, ...own.filter((each) => each !== undefined)] : found;
  };
  await opened({}, async (page) => {
    assert.equal(await page.locator('#scatter .stage').count(), 1);
    const systems = { umber: 'umber', go: 'go', 'malloc, glibc': 'malloc:glibc', 'malloc, umber': 'malloc:umber' };
    for (const [name, system] of Object.entries(systems)) {
      const row = page.locator('#scatter tbody tr', { has: page.locator('th', { hasText: new RegExp(`^${name}$`) }) });
      const shown = await row.locator('td.figure').evaluateAll((all) => all.map((each) => Number(each.dataset.value)));
      const wanted = [ratios(system, 'wall_ns', 'time_ratio'), ratios(system, 'peak_rss', 'rss_ratio')];
      wanted.forEach((each, i) => assert.ok(Math.abs(shown[i] / geometricMean(each) - 1) < 1e-9, `${name}: ${shown}`));
    }
    const stage = await stageOf(page, 'scatter');
    await stage.focus();
    await page.keyboard.press('Home');
    const [name, time] = (await page.locator('#scatter [aria-live]').textContent()).split(', time ');
    const cell = page.locator('#scatter tbody tr', { has: page.locator('th', { hasText: new RegExp(`^${name}$`) }) });
    assertNear(time.split(',')[0], Number(await cell.locator('td.figure').first().getAttribute('data-value')), name);
  });
});

// What has the focus: where it stands in the page, whether it is shown to have it, and whether anything covers it.
function focused(page) {
  return page.evaluate(() => {
    const each = document.activeElement;
    if (each === document.body) return null;
    const order = [...document.querySelectorAll('*')].indexOf(each);
    const marked = each.matches('input[type=radio]') ? each.nextElementSibling : each;
    const { outlineStyle, outlineWidth } = getComputedStyle(marked);
    const box = marked.getBoundingClientRect();
    const bar = document.getElementById('bar').getBoundingClientRect();
    const clear = each.closest('#bar, .skip') !== null || box.top >= Math.min(bar.bottom, innerHeight - box.height) - 1;
    const inside = box.bottom > 0 && box.top < innerHeight;
    const name = each.outerHTML.slice(0, 120);
    return { order, name, shown: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1, clear: clear && inside };
  });
}

test('the tab key goes through the page in its order, and what has the focus is always seen to have it', async () => {
  for (const width of [1280, 700]) {
    await opened({ width }, async (page) => {
      const faults = [];
      let before = -1;
      let stops = 0;
      for (; stops < 400; ++stops) {
        await page.keyboard.press('Tab');
        const at = await focused(page);
        if (!at) break;
        if (at.order <= before) faults.push(`${at.name} comes too late`);
        if (!at.shown) faults.push(`${at.name} does not show the focus`);
        if (!at.clear) faults.push(`${at.name} is covered, or not in the window`);
        before = at.order;
      }
      assert.deepEqual(faults, []);
      assert.ok(stops > 40 && stops < 400, `${stops} stops`);
    });
  }
});

test('enter and space open what is folded, and choose the theme', async () => {
  await opened({}, async (page) => {
    const fold = page.locator('#latency details').first();
    await fold.locator('summary').focus();
    for (const [key, open] of [
      ['Enter', true],
      ['Space', false],
    ]) {
      await page.keyboard.press(key);
      assert.equal(await fold.evaluate((each) => each.open), open);
    }
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    await page.locator('.theme').focus();
    await page.keyboard.press('Enter');
    assert.equal(await theme(), 'dark');
    await page.keyboard.press('Space');
    assert.equal(await theme(), 'light');
  });
});

async function axeFaults(page, ...only) {
  const { violations } = await page.evaluate(
    (rules) => globalThis.axe.run(rules.length > 0 ? '.lead' : document, rules.length > 0 ? { runOnly: rules } : {}),
    only,
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html.slice(0, 120)).slice(0, 3)}`);
}

test('axe finds no fault in light and dark, wide and narrow, and would find bad contrast', async () => {
  const axe = readFileSync(join(packages, 'node_modules/axe-core/axe.min.js'), 'utf8');
  for (const [width, dark] of [
    [1280, false],
    [700, true],
  ]) {
    await opened({ width, dark }, async (page) => {
      // Once with all that is folded away.
      if (!dark) await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
      await page.evaluate(axe);
      assert.deepEqual(await axeFaults(page), []);
      await page.addStyleTag({ content: '.lead { color: color-mix(in srgb, var(--ink) 40%, var(--paper)) !important; }' });
      assert.match((await axeFaults(page, 'color-contrast')).join(), /color-contrast/);
    });
  }
});

test('the licence of every package that is in the page is in the page', async () => {
  const { dependencies } = JSON.parse(readFileSync(join(packages, 'package.json'), 'utf8'));
  const carried = Object.keys(dependencies).filter((name) => !['esbuild', 'typescript'].includes(name));
  await opened({}, async (page) => {
    const text = await page.locator('footer pre').textContent();
    assert.ok(carried.length >= 3);
    for (const name of carried) {
      const folder = join(packages, 'node_modules', name);
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      assert.ok(text.includes(`${name} ${version}\n`), name);
      assert.ok(text.includes(readFileSync(join(folder, 'LICENSE'), 'utf8').trim()), `the licence of ${name}`);
    }
  });
});
