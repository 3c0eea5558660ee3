// What the settings buy: each point is the whole workload at one value of the percentage, or of the limit.
import type { ChartSpec, Mark } from '../chart/spec';
import { format, tickText } from '../format';
import type { Tuning, TuningPoint } from '../model/documents';
import { curvesOf, groupBy, shortName, type PlacedCurve } from '../model/report';
import type { TableSpec } from '../table';
import { choosing, Plate, section, type Page, type Section } from './section';

type Placed = PlacedCurve<'tuning'>;

interface Used {
  point: TuningPoint;
  index: number;
  time: number;
  memory: number;
}

function used(each: Tuning): Used[] {
  return each.points.flatMap((point, index) => {
    const time = point.median?.wall_ns;
    const memory = point.median?.peak_rss;
    return time !== undefined && memory !== undefined ? [{ point, index, time, memory }] : [];
  });
}

function setting(point: TuningPoint): string {
  if (point.percent !== undefined) return `${point.percent}\u202f%`;
  return point.limit !== undefined ? tickText(point.limit, 'bytes') : 'default';
}

function marks(each: Placed): Mark[] {
  return [true, false].flatMap((byPercent): Mark[] => {
    const own = used(each).filter(({ point }) => (point.percent !== undefined) === byPercent);
    if (own.length === 0) return [];
    return [
      {
        system: each.system,
        label: shortName(each.system),
        form: 'both',
        x: own.map(({ memory }) => memory),
        y: own.map(({ time }) => time),
        pointLabels: own.map(({ point }, i) =>
          i === 0 && byPercent ? `${shortName(each.system)}, ${setting(point)}` : setting(point),
        ),
        size: 4.5,
        ...(byPercent ? {} : { dash: [2, 3] }),
        details: own.map(
          ({ point, time, memory }) => `${setting(point)}\n${format(time, 'duration')}\n${format(memory, 'bytes')}`,
        ),
      },
    ];
  });
}

function chart(name: string, all: Placed[]): ChartSpec {
  return {
    summary: `${name}: wall time against peak memory as the heap's growth is set.`,
    x: { title: 'peak memory', kind: 'bytes', log: true },
    y: { title: 'time; labels are the heap\u2019s growth in percent, or its limit', kind: 'duration', log: true },
    marks: all.flatMap(marks),
    hover: 'point',
    height: 380,
  };
}

function values(name: string, all: Placed[]): TableSpec {
  return {
    caption: `${name}: settings`,
    columns: ['System', 'Setting', 'Time', 'Processor', 'Peak memory', 'Cycles'].map((title) => ({ title })),
    rows: all.flatMap((each) =>
      each.points.map((point, index) => {
        const from = `${each.from}/points/${index}/median`;
        const figure = (field: string, kind: 'duration' | 'bytes' | 'count') => ({
          value: point.median?.[field],
          kind,
          from: `${from}/${field}`,
        });
        return {
          system: each.system,
          cells: [
            shortName(each.system),
            setting(point),
            figure('wall_ns', 'duration'),
            figure('process_ns', 'duration'),
            figure('peak_rss', 'bytes'),
            figure('cycles', 'count'),
          ],
        };
      }),
    ),
  };
}

export function tuning(page: Page): Section | null {
  const groups = groupBy(
    curvesOf(page.report, 'tuning').filter((each) => used(each).length > 0),
    (each) => each.workload,
  );
  if (groups.size === 0) return null;
  const plate = new Plate(page);
  const show = (name: string, all: Placed[]) =>
    plate.show(`${name}: what the settings buy`, chart(name, all), values(name, all));
  return section(
    'tuning',
    'Tuning',
    'A collector trades memory for time. Each line is that trade; the further down and left it runs, the better the bargain.',
    choosing('Workload', groups, show),
    plate.element,
  );
}
