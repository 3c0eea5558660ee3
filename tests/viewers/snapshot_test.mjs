// The DevTools that are in Chromium read a snapshot as the Memory panel does, and come to the same as `umber heap`: how
// many objects there are of each type, what they retain together, and what each single object does.
//
//   snapshot_test.mjs UMBER PACKAGES KNOWN         (PACKAGES: where npm has put playwright-core)
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchedOrSkipped } from '../report/browser.mjs';
import { openedDevtools } from './devtools.mjs';

const [umber, packages, known] = process.argv.slice(2);
const worker = 'entrypoints/heap_snapshot_worker/heap_snapshot_worker.js';
const seed = Math.floor(Math.random() * 2 ** 31);
const folder = mkdtempSync(join(tmpdir(), 'umber-snapshot-'));
const file = join(folder, 'known.heapsnapshot');
const launch = launchedOrSkipped(packages);
let browser;
let page;

before(async () => {
  execFileSync(known, [file, String(seed)]);
  browser = await launch();
  page = await openedDevtools(browser, worker, 'HeapSnapshotLoader.HeapSnapshotLoader', 'HeapSnapshot.SecondaryInitManager');
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

// By the loader and the snapshot of DevTools' own worker, fed in pieces as from a file.
function asDevtoolsReadIt(text) {
  return page.evaluate(
    async (contents) => {
      const { HeapSnapshot, HeapSnapshotLoader } = globalThis.devtools;
      const loader = new HeapSnapshotLoader.HeapSnapshotLoader({ sendEvent() {} });
      for (let at = 0; at < contents.length; at += 100_000) loader.write(contents.slice(at, at + 100_000));
      loader.close();
      await loader.parsingComplete;
      const channel = new MessageChannel();
      new HeapSnapshot.SecondaryInitManager(channel.port2);
      const snapshot = await loader.buildSnapshot(channel.port1);
      const nodes = [];
      for (const all = snapshot.allNodes(); all.hasNext(); all.next()) {
        const node = all.item();
        const holders = [];
        for (const by = node.retainers(); by.hasNext(); by.next()) {
          const edge = by.item();
          holders.push(`${edge.node().name()} ${edge.name()}`);
        }
        const figures = { retained: node.retainedSize(), distance: node.distance() };
        nodes.push({ id: node.id(), name: node.name(), ...figures, holders });
      }
      const aggregates = Object.values(snapshot.aggregatesWithFilter({}));
      const types = aggregates.map(({ name, count, self, maxRet }) => ({ type: name, objects: count, bytes: self, retained: maxRet }));
      return { nodes, types: types.filter(({ bytes }) => bytes > 0) };
    },
    text,
  );
}

function umberHeap(path, ...options) {
  return JSON.parse(execFileSync(umber, ['heap', path, '--json', '--top', '1000', ...options], { encoding: 'utf8' }));
}

function byName(types) {
  return [...types].sort((a, b) => (a.type < b.type ? -1 : 1));
}

test(`DevTools and umber heap agree on every type, seed ${seed}`, async () => {
  const text = readFileSync(file, 'utf8');
  const told = umberHeap(file);
  const read = await asDevtoolsReadIt(text);
  assert.equal(read.nodes.length, JSON.parse(text).snapshot.node_count);
  assert.ok(told.types.length >= 10);
  assert.deepEqual(byName(read.types), byName(told.types));
  const larger = JSON.parse(text);
  larger.nodes[larger.nodes.length - larger.snapshot.meta.node_fields.length + 3] += 16;
  assert.notDeepEqual(byName((await asDevtoolsReadIt(JSON.stringify(larger))).types), byName(told.types));
});

test(`DevTools and umber heap agree on what an object retains, and how far it is, seed ${seed}`, async () => {
  const { nodes } = await asDevtoolsReadIt(readFileSync(file, 'utf8'));
  const random = nodes.filter(({ name }) => name === 'vertex');
  const chosen = [nodes.find(({ name }) => name === 'registry'), nodes.find(({ name }) => name === 'treasure')];
  for (let i = 0; i < 6; ++i) chosen.push(random[(i * 7919 + seed) % random.length]);
  for (const { id, name, retained, distance } of chosen) {
    const { path } = umberHeap(file, '--path', `@${id}`);
    assert.deepEqual({ id, name, retained }, { id: path.at(-1).id, name: path.at(-1).type, retained: path.at(-1).retained });
    assert.equal(path.length, distance, `${name} @${id}`);
  }
});

test('DevTools name what keeps an object alive', async () => {
  const { nodes } = await asDevtoolsReadIt(readFileSync(file, 'utf8'));
  const held = (name) => nodes.find((each) => each.name === name).holders;
  assert.deepEqual(held('treasure'), ['hop cargo']);
  assert.deepEqual(held('registry'), ['persistent handles 1']);
  assert.equal(nodes.find(({ name }) => name === 'note').holders.length, 2);
});
