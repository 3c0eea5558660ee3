// The DevTools that are in Chromium read the time line of UMBER_TRACE=perfetto:FILE as their Performance panel does:
// they find every thread under its name, all of its events, and the phases within the cycles.
//
//   timeline_test.mjs PACKAGES UMBER_GC_WORKLOADS         (PACKAGES: where npm has put playwright-core)
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchedOrSkipped } from '../report/browser.mjs';
import { openedDevtools } from './devtools.mjs';

const [packages, workloads] = process.argv.slice(2);
const engine = 'models/trace/trace.js';
const folder = mkdtempSync(join(tmpdir(), 'umber-timeline-'));
const file = join(folder, 'trace.json');
const launch = launchedOrSkipped(packages);
let browser;
let page;
let events;

before(async () => {
  execFileSync(workloads, ['threads', '--threads', '3', '--scale', '1'], {
    env: { ...process.env, UMBER_TRACE: `perfetto:${file}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  events = JSON.parse(readFileSync(file, 'utf8'));
  browser = await launch();
  page = await openedDevtools(browser, engine, 'TraceModel.Model.createWithAllHandlers');
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

// Of each thread its name, the events, and what stands within what.
function asDevtoolsReadIt(all) {
  return page.evaluate(
    async (contents) => {
      const { TraceModel } = globalThis.devtools;
      const model = TraceModel.Model.createWithAllHandlers();
      await model.parse(contents, { isCPUProfile: false, isFreshRecording: false, metadata: {} });
      const { processes } = model.parsedTrace(0).data.Renderer;
      const threads = {};
      for (const [tid, thread] of [...processes.values()].flatMap((each) => [...each.threads])) {
        const names = thread.entries.map(({ name }) => name);
        const within = new Set();
        const waiting = [...thread.tree.roots];
        for (let node = waiting.pop(); node; node = waiting.pop()) {
          for (const child of node.children) within.add(`${node.entry.name} > ${child.entry.name}`);
          waiting.push(...node.children);
        }
        threads[tid] = { name: thread.name, names: names.sort(), within: [...within] };
      }
      return threads;
    },
    all,
  );
}

// The names of what each thread did, and the thread's own, as they stand in the file.
function written(all) {
  const threads = {};
  for (const { tid, name } of all.filter(({ ph }) => ph === 'X')) (threads[tid] ??= { names: [] }).names.push(name);
  for (const each of all)
    if (each.ph === 'M' && each.name === 'thread_name' && threads[each.tid]) threads[each.tid].name = each.args.name;
  for (const each of Object.values(threads)) each.names.sort();
  return threads;
}

const told = (threads) => Object.fromEntries(Object.entries(threads).map(([tid, { name, names }]) => [tid, { name, names }]));

test('every thread is there under its name, with all of its events', async () => {
  const threads = written(events);
  // The collector, and mutators: one that was done before it had to answer has no event.
  assert.ok(Object.keys(threads).length >= 2);
  assert.deepEqual(told(await asDevtoolsReadIt(events)), threads);
  const fewer = events.filter((each) => each !== events.findLast(({ ph }) => ph === 'X'));
  assert.notDeepEqual(told(await asDevtoolsReadIt(fewer)), threads);
});

test('the phases stand within their cycles, and the handshakes within the phases', async () => {
  const threads = Object.values(await asDevtoolsReadIt(events));
  const { within } = threads.find(({ name }) => name === 'umber collector');
  for (const phase of ['barrier on', 'settle', 'scan', 'mark', 'weak', 'finish'])
    assert.ok(within.includes(`cycle > ${phase}`), `${phase}: ${within}`);
  assert.ok(within.includes('barrier on > ask barrier on'), within.join());
  assert.ok(within.every((each) => !each.endsWith('> cycle')), within.join());
});
