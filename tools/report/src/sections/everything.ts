// All that is known of one workload: each figure under each system.
import { el } from '../dom';
import { kindOf, wordsOf } from '../model/figures';
import { grouped, rowsOf, shortName, type PlacedRow } from '../model/report';
import { folded, table, type Row } from '../table';
import { choosing, type Page } from './section';

// What stands beside the medians.
const bounds: ['wall' | 'cpu', string][] = [
  ['wall', 'time, to that of the cheapest system'],
  ['cpu', 'processor time, to that of the cheapest system'],
];

function figures(page: Page, name: string, rows: PlacedRow[]): HTMLElement {
  const systems = page.report.systems.filter((system) => rows.some((row) => row.system === system));
  const own = (system: string) => rows.find((row) => row.system === system);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.median ?? {})))];
  const lines: Row[] = names.map((figure) => ({
    cells: [
      wordsOf(figure),
      ...systems.map((system) => ({
        value: own(system)?.median?.[figure],
        kind: kindOf(figure),
        from: `${own(system)?.from}/median/${figure}`,
      })),
    ],
  }));
  for (const [bound, title] of bounds) {
    if (!rows.some((row) => row.lower_bound?.[bound] !== undefined)) continue;
    const cells = systems.map((system) => ({
      value: own(system)?.lower_bound?.[bound],
      kind: 'ratio' as const,
      from: `${own(system)?.from}/lower_bound/${bound}`,
    }));
    lines.push({ cells: [title, ...cells] });
  }
  const columns = [{ title: 'Figure' }, ...systems.map((system) => ({ title: shortName(system), system }))];
  return table({ caption: `${name}: medians`, columns, rows: lines }, page.choice);
}

export function everyFigure(page: Page): HTMLElement | null {
  const groups = grouped(rowsOf(page.report, 'main').filter((row) => row.median !== undefined));
  if (groups.size === 0) return null;
  const place = el('div', {});
  const list = choosing('Workload', groups, (name, rows) => place.replaceChildren(figures(page, name, rows)));
  return folded('Every figure of a workload', list, place);
}
