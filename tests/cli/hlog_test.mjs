// Logs of histograms, as the reader of the HdrHistogram project takes them (hdr-histogram-js): every one is there, with
// the percentiles of the JSON that the same run wrote.
//
//   hlog_test.mjs UMBER UMBER_GC_WORKLOADS PACKAGES       (PACKAGES: where npm has put hdr-histogram-js)
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const [umber, workloads, packages] = process.argv.slice(2);
if (!existsSync(join(packages, 'node_modules/hdr-histogram-js'))) {
  console.log('skipped: npm could not fetch the reader when umber was built');
  process.exit(77);
}
const hdr = createRequire(resolve(packages, 'package.json'))('hdr-histogram-js');
const folder = mkdtempSync(join(tmpdir(), 'umber-hlog-'));
after(() => rmSync(folder, { recursive: true }));

function readLog(file) {
  const reader = new hdr.HistogramLogReader(readFileSync(file, 'utf8'), 64, false);
  const found = [];
  for (let each = reader.nextIntervalHistogram(); each; each = reader.nextIntervalHistogram()) found.push(each);
  return found;
}

// The histograms of a run, by the tags that they have in a log.
function told(run) {
  const named = ['response', 'service', 'jitter'].map((name) => [name, run[`${name}_ns`]]);
  const all = [...named, ...Object.entries(run.stalls ?? {}).map(([cause, each]) => [`stall-${cause}`, each])];
  return Object.fromEntries(all.filter(([, histogram]) => histogram?.count > 0));
}

function differences(read, run) {
  const expected = told(run);
  const found = [];
  const same = (what, a, b) => a === b || found.push(`${what}: ${a} in the log, ${b} in the object`);
  same('the tags', read.map((each) => each.tag).sort().join(), Object.keys(expected).sort().join());
  for (const histogram of read) {
    const object = expected[histogram.tag];
    if (!object) continue;
    same(`${histogram.tag} count`, histogram.totalCount, object.count);
    for (const name of ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'p99.999'])
      same(`${histogram.tag} ${name}`, Math.min(histogram.getValueAtPercentile(Number(name.slice(1))), object.max), object[name]);
    // The longest to the width of its bucket.
    const longest = histogram.maxValue;
    if (!(longest >= object.max && longest <= object.max * 1.01)) found.push(`${histogram.tag} max: ${longest}, ${object.max}`);
  }
  return found;
}

test('what a workload writes, and a wrong figure would be seen', () => {
  const file = join(folder, 'ring.hlog');
  const options = ['message_ring', '--depth', '14', '--seconds', '0.3', '--hlog', file];
  // What the machine did meanwhile is not in a program's own log.
  const { jitter_ns: _, ...run } = JSON.parse(execFileSync(workloads, options, { encoding: 'utf8' }));
  const read = readLog(file);
  assert.ok(read.length >= 3);
  assert.deepEqual(differences(read, run), []);
  const wrong = structuredClone(run);
  wrong.response_ns['p99.9'] *= 1.02;
  assert.equal(differences(read, wrong).length, 1);
});

test('what umber bench gc writes for each row', () => {
  const [logs, file] = [join(folder, 'logs'), join(folder, 'gc.json')];
  const rows = ['message_ring', 'binary_trees', '--systems', 'umber', '--runs', '1', '--scale', '0.1'];
  const small = ['--arguments', '--depth 12 --seconds 0.3'];
  execFileSync(umber, ['bench', 'gc', ...rows, ...small, '--hlog', logs, '--json', file], { stdio: 'pipe' });
  const document = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(readdirSync(logs).length, 2);
  for (const row of document.rows) {
    const log = readdirSync(logs).find((name) => name.startsWith(`main_${row.workload}`));
    assert.deepEqual(differences(readLog(join(logs, log)), row.runs[row.shown]), []);
  }
});
