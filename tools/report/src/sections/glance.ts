// One line for each system: geometric means over the workloads that it and umber both ran, umber being 1.
import { el } from '../dom';
import { figureOf, metrics, type Metric } from '../model/figures';
import { grouped, rowsOf, shortName, type PlacedRow } from '../model/report';
import { geometricMean } from '../statistics';
import { table, type Cell, type Row } from '../table';
import { section, type Page, type Section } from './section';

const shown = metrics.filter((metric) => !metric.moreIsBetter);

export function baselineOf(systems: string[]): string {
  return systems.includes('umber') ? 'umber' : systems[0];
}

// A system's figures relative to the baseline's, over the rows in which both have one above zero.
function ratios(groups: Iterable<PlacedRow[]>, system: string, baseline: string, metric: Metric): number[] {
  const found: number[] = [];
  for (const rows of groups) {
    const own = rows.find((row) => row.system === system);
    const base = rows.find((row) => row.system === baseline);
    const a = own && figureOf(own, metric);
    const b = base && figureOf(base, metric);
    if (a && b && a.name === b.name && a.value > 0 && b.value > 0) found.push(a.value / b.value);
  }
  return found;
}

function cell(values: number[]): Cell {
  return {
    value: values.length > 0 ? geometricMean(values) : null,
    kind: 'ratio',
    note: values.length > 0 ? `of ${values.length}` : undefined,
  };
}

// Without the folder of a library, and what a distribution adds.
function versionOf(version: string): string {
  return version.replace(/^.*\//, '').replace(/-Debian.*$/, '');
}

export function glance(page: Page): Section | null {
  const main = rowsOf(page.report, 'main');
  const systems = page.report.systems.filter((system) => main.some((row) => row.system === system));
  if (systems.length < 2) return null;
  const baseline = baselineOf(systems);
  const groups = [...grouped(main).values()];
  const rows: Row[] = systems.map((system) => ({
    system,
    strong: system === baseline,
    cells: [
      shortName(system),
      ...shown.map((metric) => cell(ratios(groups, system, baseline, metric))),
      versionOf(page.report.versions.get(system) ?? ''),
    ],
  }));
  const columns = [{ title: 'System' }, ...shown.map((metric) => ({ title: metric.title })), { title: 'Version' }];
  const lead =
    `Each system against ${baseline}, which is 1: geometric means over the workloads that both ran, and beside them of how many. ` +
    'Less is better throughout: less time, less waiting, less memory.';
  const legend = el(
    'dl',
    { class: 'legend' },
    ...shown.map((metric) => el('div', {}, el('dt', {}, metric.title), el('dd', {}, metric.about))),
  );
  return section(
    'glance',
    'At a glance',
    lead,
    table({ caption: `Geometric means relative to ${baseline}`, columns, rows }, page.choice),
    legend,
  );
}
