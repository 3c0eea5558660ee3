// Every workload under every system: one figure at a time, the best of each row set in bold.
import { el } from '../dom';
import { figureOf, metrics, type Metric } from '../model/figures';
import { grouped, rowsOf, shortName, type PlacedRow } from '../model/report';
import { table, type Cell, type Row } from '../table';
import { everyFigure } from './everything';
import { failures, section, tabbed, type Page, type Section } from './section';

// Where all are alike none is the best.
function bestOf(rows: PlacedRow[], metric: Metric): number | undefined {
  const values = rows.map((row) => figureOf(row, metric)?.value).filter((value) => value !== undefined);
  if (new Set(values).size < 2) return undefined;
  return metric.moreIsBetter ? Math.max(...values) : Math.min(...values);
}

function cellOf(row: PlacedRow | undefined, metric: Metric, best: number | undefined): Cell {
  if (row?.problem !== undefined) return el('span', { class: 'problem', title: row.problem }, 'failed');
  const found = row && figureOf(row, metric);
  if (!row || !found) return { value: null, kind: metric.kind };
  const spread = row.spread?.[found.name];
  const swing =
    spread && found.value > 0 ? Math.max(spread[1] - found.value, found.value - spread[0]) / found.value : 0;
  return {
    value: found.value,
    kind: metric.kind,
    best: found.value === best,
    from: `${row.from}/median/${found.name}`,
    note: swing >= 0.005 ? `±${(swing * 100).toFixed(0)}` : undefined,
  };
}

function nameCell(name: string, rows: PlacedRow[]): HTMLElement {
  return el(
    'span',
    {},
    el('span', { class: 'workload' }, name),
    rows[0].paced ? el('span', { class: 'note' }, 'paced') : null,
  );
}

function matrix(page: Page, systems: string[], groups: Map<string, PlacedRow[]>, metric: Metric): HTMLElement {
  const rows: Row[] = [];
  for (const [name, members] of groups) {
    if (!members.some((row) => figureOf(row, metric) || row.problem !== undefined)) continue;
    const best = bestOf(members, metric);
    rows.push({
      cells: [
        nameCell(name, members),
        ...systems.map((system) =>
          cellOf(
            members.find((row) => row.system === system),
            metric,
            best,
          ),
        ),
      ],
    });
  }
  const columns = [{ title: 'Workload' }, ...systems.map((system) => ({ title: shortName(system), system }))];
  return table(
    { caption: `${metric.title}: ${metric.about}. ± is the spread of the runs in percent.`, columns, rows },
    page.choice,
  );
}

export function headline(page: Page): Section | null {
  const main = rowsOf(page.report, 'main');
  if (main.length === 0) return null;
  const systems = page.report.systems.filter((system) => main.some((row) => row.system === system));
  const groups = grouped(main);
  const usable = metrics.filter((metric) => main.some((row) => figureOf(row, metric)));
  const views = new Map(usable.map((metric) => [metric.title, matrix(page, systems, groups, metric)]));
  return section(
    'workloads',
    'Workloads',
    'Medians of interleaved runs. The best of each row is bold.',
    tabbed('Figure', views),
    failures(problems(page, main)),
    everyFigure(page),
  );
}

function problems(page: Page, main: PlacedRow[]): string[] {
  const lines = main
    .filter((row) => row.problem !== undefined)
    .map((row) => `${row.row} under ${row.system}: ${row.problem}`);
  for (const { document } of page.report.gc) {
    for (const { row, checksums } of document.disagreements ?? []) {
      const sides = Object.entries(checksums).map(([sum, systems]) => `${systems.join(', ')} computed ${sum}`);
      lines.push(`${row}: the systems disagree: ${sides.join('; ')}`);
    }
  }
  return lines;
}
