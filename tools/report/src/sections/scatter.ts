// Time against memory: whoever is nearer to the corner is better, and who buys the one with the other shows. Collectors
// and allocators stand in one picture: the malloc that both benches ran is 1, and each workload is compared with itself.
import type { ChartSpec, Mark } from '../chart/spec';
import { el } from '../dom';
import { format } from '../format';
import type { MallocDocument, Source } from '../model/documents';
import { figureOf, metrics } from '../model/figures';
import { groupBy, rowsOf, shortName, systemOf, type Report } from '../model/report';
import { geometricMean } from '../statistics';
import type { TableSpec } from '../table';
import { baselineOf } from './glance';
import { choosing, Plate, section, type Page, type Section } from './section';

// What a workload cost under a system; only the ratios within a workload mean anything.
interface Cost {
  system: string;
  bench: 'gc' | 'malloc';
  workload: string;
  group: string;
  time: number;
  memory: number;
}

interface Point {
  system: string;
  name: string;
  time: number;
  memory: number;
  // How many stand behind it.
  workloads: string;
}

const everything = 'all together';

function chart(title: string, points: Point[], baseline: string): ChartSpec {
  const marks: Mark[] = points.map((point) => ({
    system: point.system,
    label: point.name,
    x: [point.time],
    y: [point.memory],
    form: 'points',
    size: point.system === 'umber' ? 7 : 6,
    pointLabels: [point.name],
    details: [`time ${format(point.time, 'ratio')}\nmemory ${format(point.memory, 'ratio')}\nworkloads: ${point.workloads}`],
  }));
  return {
    summary: `${title}: time against peak memory, relative to ${baseline}.`,
    x: { title: `time (${baseline} = 1)`, kind: 'ratio', log: true },
    y: { title: `peak memory (${baseline} = 1)`, kind: 'ratio', log: true },
    marks,
    hover: 'point',
    height: 380,
  };
}

function values(title: string, points: Point[], baseline: string): TableSpec {
  return {
    caption: `${title}: time and memory (${baseline} = 1)`,
    columns: ['System', 'Time', 'Peak memory', 'Workloads'].map((name) => ({ title: name })),
    rows: points.map((point) => ({
      system: point.system,
      cells: [
        point.name,
        { value: point.time, kind: 'ratio' },
        { value: point.memory, kind: 'ratio' },
        point.workloads,
      ],
    })),
  };
}

function collectorCosts(report: Report): Cost[] {
  const [time, memory] = [metrics[0], metrics.find((metric) => metric.names[0] === 'peak_rss') ?? metrics[0]];
  return rowsOf(report, 'main').flatMap((row) => {
    const found = [figureOf(row, time), figureOf(row, memory)];
    if (row.paced || !found[0] || !found[1]) return [];
    const [spent, taken] = [found[0].value, found[1].value];
    const names = { system: row.system, workload: row.row, group: row.row };
    return [{ ...names, bench: 'gc' as const, time: spent, memory: taken }];
  });
}

function allocatorCosts({ file, document }: Source<MallocDocument>): Cost[] {
  return document.rows.flatMap((row) =>
    Object.entries(row.results ?? {}).flatMap(([name, { time_ratio, rss_ratio }]) => {
      if (typeof time_ratio !== 'number' || typeof rss_ratio !== 'number') return [];
      const names = { system: systemOf(name), workload: `${file} ${row.name}`, group: row.group ?? '' };
      return [{ ...names, bench: 'malloc' as const, time: time_ratio, memory: rss_ratio }];
    }),
  );
}

function relative(costs: Cost[], baseline: string): Cost[] {
  const one = new Map(costs.filter((each) => each.system === baseline).map((each) => [each.workload, each]));
  return costs.flatMap((each) => {
    const base = one.get(each.workload);
    if (!base) return [];
    const [time, memory] = [each.time / base.time, each.memory / base.memory];
    return time > 0 && memory > 0 && Number.isFinite(time * memory) ? [{ ...each, time, memory }] : [];
  });
}

function counted(costs: Cost[], mixed: boolean): string {
  const told = [...groupBy(costs, (each) => each.bench)].map(
    ([bench, { length }]) => `${length}${mixed ? ` ${bench}` : ''}`,
  );
  return told.join(', ');
}

// Among allocators only, a name alone says enough.
function nameOf(system: string, benches: Cost['bench'][]): string {
  return benches.includes('gc') ? shortName(system) : system.slice(systemOf('').length);
}

function pointsOf(costs: Cost[]): Point[] {
  const benches = benchesOf(costs);
  const mixed = benches.length > 1;
  return [...groupBy(costs, (each) => each.system)].map(([system, own]) => ({
    system,
    name: nameOf(system, benches),
    time: geometricMean(own.map((each) => each.time)),
    memory: geometricMean(own.map((each) => each.memory)),
    workloads: counted(own, mixed),
  }));
}

function benchesOf(costs: Cost[]): Cost['bench'][] {
  return [...new Set(costs.map((each) => each.bench))];
}

// All workloads together, those of each bench, those of each group; where there is but one system there is no picture.
function choices(costs: Cost[]): Map<string, Point[]> {
  const several = benchesOf(costs).length > 1;
  const byBench = several ? groupBy(costs, (each) => `all of bench ${each.bench}`) : new Map<string, Cost[]>();
  const all = [[everything, costs] as const, ...byBench, ...groupBy(costs, (each) => each.group)];
  return new Map(all.map(([name, own]) => [name, pointsOf(own)] as const).filter(([, points]) => points.length > 1));
}

function picture(page: Page, title: string, costs: Cost[], baseline: string): HTMLElement | null {
  const told = choices(relative(costs, baseline));
  if (!told.has(everything)) return null;
  const plate = new Plate(page, 'beside');
  const one = nameOf(baseline, benchesOf(costs));
  const show = (name: string, points: Point[]) =>
    plate.show(`${title}, ${name}`, chart(title, points, one), values(title, points, one));
  return el('div', { class: 'card' }, choosing('Workloads', told, show), plate.element);
}

export function allocatorScatter(page: Page, source: Source<MallocDocument>): HTMLElement | null {
  return picture(page, 'Allocators', allocatorCosts(source), systemOf(source.document.baseline));
}

// The system that both benches ran: the one that `bench malloc` compares with, if it is among them.
function commonBaseline(collectors: Cost[], allocators: Cost[], preferred: string): string | undefined {
  const ran = new Set(collectors.map((each) => each.system));
  const both = [...new Set(allocators.map((each) => each.system))].filter((each) => ran.has(each));
  return both.includes(preferred) ? preferred : both[0];
}

export function scatter(page: Page): Section | null {
  const plain = page.report.malloc.filter(({ document }) => document.evolution === undefined);
  const [collectors, allocators] = [collectorCosts(page.report), plain.flatMap(allocatorCosts)];
  const compared = systemOf(plain[0]?.document.baseline ?? '');
  const common = commonBaseline(collectors, allocators, compared);
  const ran = new Set(collectors.map((each) => each.system));
  const own = baselineOf(page.report.systems.filter((each) => ran.has(each)));
  const pictures = common
    ? [picture(page, 'Collectors and allocators', [...collectors, ...allocators], common)]
    : [
        picture(page, 'Collectors, and malloc with free', collectors, own),
        picture(page, 'Allocators', allocators, compared),
      ];
  const shown = pictures.filter((each) => each !== null);
  if (shown.length === 0) return null;
  return section(
    'scatter',
    'Time and memory',
    'Speed can be bought with memory: down and to the left is better at both. Each system stands at the geometric means of ' +
      'its ratios to the one that is 1, over the workloads that both ran.',
    ...shown,
  );
}
