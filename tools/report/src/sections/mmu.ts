// Minimum mutator utilisation: of the worst window of each length, the share that was left to the program.
import type { ChartSpec, Mark } from '../chart/spec';
import { format } from '../format';
import { firstPaced, grouped, rowsOf, shortName, shownRun, type PlacedRow } from '../model/report';
import type { TableSpec } from '../table';
import { choosing, Plate, section, type Page, type Section } from './section';

const tabled = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

function measured(rows: PlacedRow[]): PlacedRow[] {
  return rows.filter((row) => (shownRun(row)?.mmu?.length ?? 0) > 0);
}

function mark(row: PlacedRow): Mark {
  const points = shownRun(row)?.mmu ?? [];
  return {
    system: row.system,
    label: shortName(row.system),
    endLabel: shortName(row.system),
    form: 'line',
    x: points.map(([window]) => window),
    y: points.map(([, share]) => share),
    width: row.system === 'umber' ? 2.75 : 1.75,
  };
}

function chart(name: string, rows: PlacedRow[]): ChartSpec {
  return {
    summary: `Minimum mutator utilisation of ${name} for windows from a microsecond to a second.`,
    x: { title: 'length of the window', kind: 'duration', log: true },
    y: { title: 'share left to the program in the worst window', kind: 'share', log: false, min: 0, max: 1.02 },
    marks: rows.map(mark),
    hover: 'x',
  };
}

function values(name: string, rows: PlacedRow[]): TableSpec {
  return {
    caption: `${name}: utilisation in the worst window`,
    columns: [{ title: 'System' }, ...tabled.map((window) => ({ title: format(window, 'duration') }))],
    rows: rows.map((row) => ({
      system: row.system,
      cells: [
        shortName(row.system),
        ...tabled.map((window) => {
          const points = shownRun(row)?.mmu ?? [];
          const at = points.findIndex(([length]) => Math.abs(length / window - 1) < 0.01);
          return {
            value: points[at]?.[1],
            kind: 'share' as const,
            from: `${row.from}/runs/${row.shown ?? 0}/mmu/${at}/1`,
          };
        }),
      ],
    })),
  };
}

export function mmu(page: Page): Section | null {
  const groups = new Map(
    [...grouped(rowsOf(page.report, 'main'))]
      .map(([name, rows]) => [name, measured(rows)] as const)
      .filter(([, rows]) => rows.length > 0),
  );
  if (groups.size === 0) return null;
  const plate = new Plate(page);
  const show = (name: string, rows: PlacedRow[]) =>
    plate.show(`${name}: minimum mutator utilisation`, chart(name, rows), values(name, rows));
  return section(
    'mmu',
    'Utilisation',
    'A window is as long as a frame or a request may be. What is left of it to the program, at worst, is the height of the line.',
    choosing('Workload', groups, show, firstPaced(groups)),
    plate.element,
  );
}
