// How long operations took: the whole distribution, the tail stretched out. Response counts from when an operation was
// due, so that what queued behind a pause counts; service only from when it began. A server under load has service times
// of that load, and the responses to one client beside it: all of them, and those that met a collection.
import type { ChartSpec, Mark } from '../chart/spec';
import { el } from '../dom';
import type { Histogram } from '../model/documents';
import { curveOf, namedPercentiles } from '../model/percentiles';
import { grouped, rowsOf, shortName, shownRun, type PlacedRow } from '../model/report';
import { folded, table, type Row, type TableSpec } from '../table';
import { choosing, Plate, section, type Page, type Section } from './section';

interface Distribution {
  system: string;
  name: string;
  histogram: Histogram;
  from: string;
  kind: Kind | 'jitter';
}

const kinds = ['response', 'probe', 'probe_collecting', 'service'] as const;
type Kind = (typeof kinds)[number];
const called: Record<Kind, string> = {
  response: 'response',
  service: 'service',
  probe: 'a client beside the load',
  probe_collecting: 'the same during collections',
};

function distributions(rows: PlacedRow[]): Distribution[] {
  const found: Distribution[] = [];
  for (const row of rows) {
    const run = shownRun(row);
    for (const kind of kinds) {
      const histogram = run?.[`${kind}_ns`];
      if (histogram)
        found.push({
          system: row.system,
          name: `${shortName(row.system)}, ${called[kind]}`,
          histogram,
          kind,
          from: `${row.from}/runs/${row.shown ?? 0}/${kind}_ns`,
        });
    }
  }
  const quiet = rows.map((row) => ({ row, run: shownRun(row) })).find(({ run }) => run?.jitter_ns);
  if (quiet?.run?.jitter_ns && found.length > 0) {
    const from = `${quiet.row.from}/runs/${quiet.row.shown ?? 0}/jitter_ns`;
    found.push({ system: '', name: 'an idle thread', histogram: quiet.run.jitter_ns, kind: 'jitter', from });
  }
  return found;
}

// An idle thread has gaps, not operations: of them only the longest can be compared, at every percentile.
function idle({ histogram, name }: Distribution, longest: number): Mark {
  const y = [histogram.max, histogram.max];
  const look = { colour: '--muted', dash: [1, 3], width: 1, endLabel: 'idle' };
  return { system: '', label: name, x: [1, longest], y, form: 'line', quiet: true, ...look };
}

const styles: Record<Kind, { dash?: number[]; opacity: number }> = {
  response: { opacity: 1 },
  probe: { opacity: 1 },
  probe_collecting: { dash: [7, 4], opacity: 1 },
  service: { dash: [3, 3], opacity: 0.45 },
};

function mark(each: Distribution, paced: boolean, longest: number): Mark {
  if (each.kind === 'jitter') return idle(each, longest);
  const curve = curveOf(each.histogram);
  const primary = each.kind !== 'service' || !paced;
  return {
    system: each.system,
    label: each.name,
    ...curve,
    form: 'line',
    endLabel: primary && each.kind !== 'probe_collecting' ? shortName(each.system) : undefined,
    // With a response to compare, the service times are drawn, and told in the table, but not one by one at the cursor.
    quiet: !primary,
    ...(primary && each.kind === 'service' ? { opacity: 1 } : styles[each.kind]),
    width: each.system === 'umber' && primary ? 2.75 : primary ? 1.75 : 1,
  };
}

function chart(name: string, all: Distribution[]): ChartSpec {
  const probed = all.some((each) => each.kind === 'probe');
  const paced = probed || all.some((each) => each.kind === 'response');
  const longest = Math.max(...all.filter((each) => each.kind !== 'jitter').map((each) => each.histogram.count));
  return {
    summary: `Percentiles of the time an operation of ${name} takes, for each system, on logarithmic axes.`,
    x: { title: 'percentile of operations', kind: 'percentile', log: true, min: 1 },
    y: {
      title: probed
        ? 'response to a client beside the load: all (solid), during collections (dashed); service of the load (dotted)'
        : paced
          ? 'time of an operation: response (solid), service (dashed)'
          : 'time of an operation',
      kind: 'duration',
      log: true,
    },
    marks: all.map((each) => mark(each, paced, longest)),
    hover: 'x',
    height: 420,
  };
}

function values(name: string, all: Distribution[]): TableSpec {
  const percentiles = namedPercentiles.map(([title]) => title);
  const rows: Row[] = all.map((each) => ({
    system: each.system === '' ? undefined : each.system,
    cells: [
      each.name,
      { value: each.histogram.count, kind: 'count', from: `${each.from}/count` },
      ...[...percentiles, 'max'].map((title) => ({
        value: each.histogram[title] as number | undefined,
        kind: 'duration' as const,
        from: `${each.from}/${title}`,
      })),
    ],
  }));
  return {
    caption: `${name}: percentiles`,
    columns: ['System', 'Operations', ...percentiles, 'Longest'].map((title) => ({ title })),
    rows,
  };
}

// What each system itself says it held threads up for, by cause.
function stalls(name: string, rows: PlacedRow[]): TableSpec {
  const lines: Row[] = rows.flatMap((row) =>
    Object.entries(shownRun(row)?.stalls ?? {}).map(([cause, histogram]) => {
      const from = `${row.from}/runs/${row.shown ?? 0}/stalls/${cause}`;
      return {
        system: row.system,
        cells: [
          shortName(row.system),
          cause,
          { value: histogram.count, kind: 'count', from: `${from}/count` },
          { value: histogram.p50 as number | undefined, kind: 'duration', from: `${from}/p50` },
          { value: histogram.p99 as number | undefined, kind: 'duration', from: `${from}/p99` },
          { value: histogram.max, kind: 'duration', from: `${from}/max` },
          { value: histogram.mean === undefined ? null : histogram.mean * histogram.count, kind: 'duration' },
        ],
      } as Row;
    }),
  );
  return {
    caption: `${name}: stalls by cause`,
    columns: ['System', 'Cause', 'Times', 'p50', 'p99', 'Longest', 'Together'].map((title) => ({ title })),
    rows: lines,
  };
}

export class LatencyPlate {
  readonly element = el('div', {});
  private plate: Plate;
  private causes = el('div', {});

  constructor(private page: Page) {
    this.plate = new Plate(page);
    this.element.append(this.plate.element, this.causes);
  }

  show(name: string, rows: PlacedRow[]): this {
    const all = distributions(rows);
    this.plate.show(`${name}: how long operations took`, chart(name, all), values(name, all));
    const spec = stalls(name, rows);
    this.causes.replaceChildren(
      ...(spec.rows.length > 0 ? [folded('Stalls by cause', table(spec, this.page.choice))] : []),
    );
    return this;
  }
}

// The groups that have a distribution, those with a pace first: there waiting counts.
export function withDistributions(rows: PlacedRow[]): Map<string, PlacedRow[]> {
  const groups = [...grouped(rows)].filter(([, members]) =>
    distributions(members).some((each) => each.kind !== 'jitter'),
  );
  return new Map(groups.sort(([, a], [, b]) => Number(b[0].paced ?? false) - Number(a[0].paced ?? false)));
}

export function latency(page: Page): Section | null {
  const groups = withDistributions(rowsOf(page.report, 'main'));
  if (groups.size === 0) return null;
  const plate = new LatencyPlate(page);
  const lead =
    'Every operation is timed from the moment it was due, so that those that queue behind a pause count as well. ' +
    'Each step to the right is a tenfold rarer operation; the dotted line is the longest that this machine held up a thread that did nothing at all.';
  return section(
    'latency',
    'Pauses as a program feels them',
    lead,
    choosing('Workload', groups, (name, rows) => plate.show(name, rows)),
    plate.element,
  );
}
