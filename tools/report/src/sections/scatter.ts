// Time against memory: whoever is nearer to the corner is better, and who buys the one with the other shows.
import type { ChartSpec, Mark } from '../chart/spec';
import { el } from '../dom';
import { format } from '../format';
import type { MallocDocument, MallocResult, Source } from '../model/documents';
import { metrics } from '../model/figures';
import { grouped, rowsOf, shortName, systemOf, type PlacedRow } from '../model/report';
import { geometricMean } from '../statistics';
import type { TableSpec } from '../table';
import { baselineOf, ratios } from './glance';
import { choosing, Plate, section, type Page, type Section } from './section';

interface Point {
  system: string;
  name: string;
  time: number;
  memory: number;
  note: string;
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
    details: [`time ${format(point.time, 'ratio')}\nmemory ${format(point.memory, 'ratio')}\n${point.note}`],
  }));
  return {
    summary: `${title}: time against peak memory, relative to ${baseline}.`,
    x: { title: `time, ${baseline} = 1`, kind: 'ratio', log: true },
    y: { title: `peak memory, ${baseline} = 1`, kind: 'ratio', log: true },
    marks,
    hover: 'point',
    height: 380,
  };
}

function values(title: string, points: Point[]): TableSpec {
  return {
    caption: `${title}: time and memory`,
    columns: ['', 'Time', 'Peak memory', ''].map((name) => ({ title: name })),
    rows: points.map((point) => ({
      system: point.system,
      cells: [
        point.name,
        { value: point.time, kind: 'ratio', from: undefined },
        { value: point.memory, kind: 'ratio' },
        point.note,
      ],
    })),
  };
}

function collectorPoints(groups: PlacedRow[][], systems: string[], baseline: string): Point[] {
  const [time, memory] = [metrics[0], metrics.find((metric) => metric.names[0] === 'peak_rss') ?? metrics[0]];
  const usable = groups.filter((rows) => !rows[0].paced);
  return systems.flatMap((system) => {
    const times = ratios(usable, system, baseline, time);
    const sizes = ratios(usable, system, baseline, memory);
    if (times.length === 0 || sizes.length === 0) return [];
    return [
      {
        system,
        name: shortName(system),
        time: geometricMean(times),
        memory: geometricMean(sizes),
        note: `${times.length} workload${times.length > 1 ? 's' : ''}`,
      },
    ];
  });
}

function collectors(page: Page): HTMLElement | null {
  const groups = grouped(rowsOf(page.report, 'main').filter((row) => !row.paced));
  const systems = page.report.systems.filter((system) =>
    rowsOf(page.report, 'main').some((row) => row.system === system),
  );
  const baseline = baselineOf(systems);
  const points = new Map([
    [everything, collectorPoints([...groups.values()], systems, baseline)],
    ...[...groups].map(([name, rows]) => [name, collectorPoints([rows], systems, baseline)] as const),
  ]);
  return half(page, 'Collectors, and malloc with free', points, baseline);
}

function allocatorPoints(document: MallocDocument, group: string): Point[] {
  const names = [...new Set(document.rows.flatMap((row) => Object.keys(row.results ?? {})))];
  return names.flatMap((name) => {
    const results = document.rows
      .filter((row) => group === everything || row.group === group)
      .map((row) => row.results?.[name])
      .filter(
        (result): result is MallocResult & { time_ratio: number; rss_ratio: number } =>
          typeof result?.time_ratio === 'number' && typeof result.rss_ratio === 'number',
      );
    if (results.length === 0) return [];
    return [
      {
        system: systemOf(name),
        name,
        time: geometricMean(results.map((each) => each.time_ratio)),
        memory: geometricMean(results.map((each) => each.rss_ratio)),
        note: `${results.length} workload${results.length > 1 ? 's' : ''}`,
      },
    ];
  });
}

export function allocatorScatter(page: Page, { document }: Source<MallocDocument>): HTMLElement | null {
  const groups = new Set([everything, ...document.rows.map((row) => row.group ?? '')]);
  const points = new Map([...groups].map((group) => [group, allocatorPoints(document, group)]));
  return half(page, 'Allocators', points, document.baseline);
}

// A single point says nothing.
function half(page: Page, title: string, groups: Map<string, Point[]>, baseline: string): HTMLElement | null {
  const told = new Map([...groups].filter(([, points]) => points.length > 1));
  if (!told.has(everything)) return null;
  const plate = new Plate(page);
  const show = (name: string, points: Point[]) =>
    plate.show(`${title}, ${name}`, chart(title, points, baseline), values(title, points));
  return el('div', { class: 'card' }, choosing('Workloads', told, show), plate.element);
}

export function scatter(page: Page): Section | null {
  const evolution = (source: Source<MallocDocument>) => source.document.evolution !== undefined;
  const halves = [
    collectors(page),
    ...page.report.malloc.filter((source) => !evolution(source)).map((source) => allocatorScatter(page, source)),
  ].filter((each) => each !== null);
  if (halves.length === 0) return null;
  return section(
    'scatter',
    'Time and memory',
    'Speed can be bought with memory. Down and to the left is better at both.',
    el('div', { class: 'cards' }, ...halves),
  );
}
