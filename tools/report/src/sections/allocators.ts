// `umber bench malloc`: geometric means by group, every workload below them, and the scenarios that are about memory
// that stays. Relative to the baseline the document names.
import { el } from '../dom';
import type { MallocDocument, MallocResult, MallocRow, Source } from '../model/documents';
import { systemOf } from '../model/report';
import { geometricMean } from '../statistics';
import { folded, table, type Cell, type Row, type TableSpec } from '../table';
import { legend } from '../legend';
import { steps } from './evolution';
import { allocatorScatter } from './scatter';
import { failures, section, tabbed, type Page, type Section } from './section';

// Among themselves allocators go by their bare names.
function allocatorOf(system: string): string {
  return system.slice(system.indexOf(':') + 1).replaceAll('_', ' ');
}

type Ratio = 'time_ratio' | 'rss_ratio';

function namesOf(document: MallocDocument): string[] {
  const named = Object.keys(document.allocators ?? {});
  return [...new Set([...named, ...document.rows.flatMap((row) => Object.keys(row.results ?? {}))])];
}

function isTimed(row: MallocRow): boolean {
  return Object.values(row.results ?? {}).some((result) => typeof result.time_ratio === 'number');
}

function best(cells: Cell[]): Cell[] {
  const values = cells.flatMap((cell) =>
    typeof cell === 'object' && 'value' in cell && typeof cell.value === 'number' ? [cell.value] : [],
  );
  if (new Set(values).size < 2) return cells;
  const least = Math.min(...values);
  return cells.map((cell) =>
    typeof cell === 'object' && 'kind' in cell && cell.value === least ? { ...cell, best: true } : cell,
  );
}

function meanRow(title: string, rows: MallocRow[], names: string[], ratio: Ratio): Row {
  const cells = names.map((name): Cell => {
    const values = rows
      .map((row) => row.results?.[name]?.[ratio])
      .filter((value) => typeof value === 'number' && value > 0);
    return { value: values.length > 0 ? geometricMean(values as number[]) : null, kind: 'ratio' };
  });
  return { cells: [`${title} (${rows.length})`, ...best(cells)] };
}

function rowCell(source: Source<MallocDocument>, row: MallocRow, index: number, name: string, ratio: Ratio): Cell {
  const result = row.results?.[name];
  if (result?.problem !== undefined) return el('span', { class: 'problem', title: result.problem }, 'failed');
  const { seconds, fastest, slowest } = result ?? {};
  const swing =
    ratio === 'time_ratio' && seconds && fastest !== undefined && slowest !== undefined
      ? (slowest - fastest) / seconds / 2
      : 0;
  return {
    value: result?.[ratio],
    kind: 'ratio',
    from: `${source.file}/rows/${index}/results/${name}/${ratio}`,
    note: swing >= 0.005 ? `±${(swing * 100).toFixed(0)}` : undefined,
  };
}

function view(page: Page, source: Source<MallocDocument>, names: string[], ratio: Ratio): HTMLElement {
  const timed = source.document.rows.filter(isTimed);
  const groups = [...new Set(timed.map((row) => row.group ?? ''))];
  const columns = [{ title: 'Workloads' }, ...names.map((name) => ({ title: name, system: systemOf(name) }))];
  const what = ratio === 'time_ratio' ? 'Time' : 'Peak memory';
  const means: TableSpec = {
    caption: `${what}, ${source.document.baseline} = 1; geometric means, and of how many workloads`,
    columns,
    rows: [
      ...groups.map((group) =>
        meanRow(
          group,
          timed.filter((row) => (row.group ?? '') === group),
          names,
          ratio,
        ),
      ),
      { ...meanRow('all', timed, names, ratio), strong: true },
    ],
  };
  const each: TableSpec = {
    caption: `${what} of each workload, ${source.document.baseline} = 1`,
    columns,
    rows: source.document.rows.flatMap((row, i) =>
      isTimed(row) ? [{ cells: [row.name, ...best(names.map((name) => rowCell(source, row, i, name, ratio)))] }] : [],
    ),
  };
  return el('div', {}, table(means, page.choice), folded('Every workload', table(each, page.choice)));
}

// The figure of a memory scenario has a name of its own in each row.
function scenarioFigure(result: MallocResult): string | undefined {
  const usual = ['seconds', 'fastest', 'slowest', 'peak_rss_kb', 'time_ratio', 'rss_ratio', 'runs', 'problem'];
  return Object.keys(result).find((key) => !usual.includes(key) && typeof result[key] === 'number');
}

function scenarios(page: Page, source: Source<MallocDocument>, names: string[]): HTMLElement | null {
  const rows: Row[] = source.document.rows.flatMap((row, i) => {
    const figure = isTimed(row)
      ? undefined
      : Object.values(row.results ?? {})
          .map(scenarioFigure)
          .find((name) => name !== undefined);
    if (figure === undefined) return [];
    const cells = names.map((name): Cell => ({
      value: row.results?.[name]?.[figure] as number | undefined,
      kind: 'count',
      from: `${source.file}/rows/${i}/results/${name}/${figure}`,
    }));
    return [
      { cells: [el('span', { title: row.description ?? '' }, row.name), figure.replaceAll('_', ' '), ...best(cells)] },
    ];
  });
  if (rows.length === 0) return null;
  const columns = [
    { title: 'Scenario' },
    { title: 'Figure' },
    ...names.map((name) => ({ title: name, system: systemOf(name) })),
  ];
  return table({ caption: 'Memory that stays', columns, rows }, page.choice);
}

function failed(document: MallocDocument): string[] {
  return document.rows.flatMap((row) => [
    ...Object.entries(row.results ?? {}).flatMap(([name, result]) =>
      result.problem !== undefined ? [`${row.name} under ${name}: ${result.problem}`] : [],
    ),
    ...(row.disagreement !== undefined ? [`${row.name}: the checksums differ: ${row.disagreement}`] : []),
  ]);
}

function comparison(page: Page, source: Source<MallocDocument>): HTMLElement {
  const names = namesOf(source.document);
  const views = new Map([
    ['Time', view(page, source, names, 'time_ratio')],
    ['Peak memory', view(page, source, names, 'rss_ratio')],
  ]);
  return el('div', {}, tabbed('Figure', views), scenarios(page, source, names), failures(failed(source.document)));
}

export function allocators(page: Page): Section | null {
  const plain = page.report.malloc.filter(({ document }) => document.evolution === undefined);
  if (plain.length === 0) return null;
  return section(
    'allocators',
    'Allocators',
    'The same programs under each malloc. Below 1 is faster, or smaller, than the one that is 1.',
    ...plain.map((source) => comparison(page, source)),
  );
}

export function allocatorEvolution(page: Page): Section | null {
  const told = page.report.malloc.filter(({ document }) => document.evolution !== undefined);
  if (told.length === 0) return null;
  const content = told.flatMap((source) => [
    steps(page, source.document.evolution ?? { steps: [] }, `${source.file}/evolution`, 'Steps of the allocator'),
    legend(namesOf(source.document).map(systemOf), page.choice, allocatorOf),
    allocatorScatter(page, source),
    comparison(page, source),
  ]);
  return section(
    'malloc-evolution',
    'Evolution of the allocator',
    'From moving a pointer to a cache for each processor: small honest versions of each idea, and what it bought.',
    ...content,
  );
}
