// How a figure grows with the live heap: on logarithmic axes a power is a straight line, its exponent the slope.
import type { ChartSpec, Mark } from '../chart/spec';
import { kindOf, wordsOf } from '../model/figures';
import { curvesOf, groupBy, shortName, type PlacedCurve } from '../model/report';
import { powerFit } from '../statistics';
import type { TableSpec } from '../table';
import { choosing, Plate, section, type Page, type Section } from './section';

type Placed = PlacedCurve<'scaling'>;

function marks(each: Placed): Mark[] {
  const x = each.points.map((point) => point.live_bytes);
  const y = each.points.map((point) => point.value);
  const exponent = each.exponent === undefined ? '' : `, ${each.exponent.toFixed(2)}`;
  const label = `${shortName(each.system)}${exponent}`;
  const own: Mark[] = [{ system: each.system, label: shortName(each.system), x, y, form: 'points', endLabel: label }];
  const fit = each.exponent === undefined ? null : powerFit(x, y);
  if (fit)
    own.push({
      system: each.system,
      label: 'fit',
      x: [x[0], x[x.length - 1]],
      y: [x[0], x[x.length - 1]].map((at) => fit.factor * at ** fit.exponent),
      form: 'line',
      dash: [],
      width: 1.25,
      quiet: true,
    });
  return own;
}

function chart(name: string, all: Placed[]): ChartSpec {
  const kind = kindOf(all[0].figure);
  return {
    summary: `${name} against the size of the live heap, on logarithmic axes, with the fitted exponent of each system.`,
    x: { title: 'live heap', kind: 'bytes', log: true },
    y: { title: `${wordsOf(all[0].figure)}; the number is the fitted exponent`, kind, log: true },
    marks: all.flatMap(marks),
    hover: 'x',
    height: 380,
  };
}

function values(name: string, all: Placed[]): TableSpec {
  const kind = kindOf(all[0].figure);
  const sizes = [...new Set(all.flatMap((each) => each.points.map((point) => point.live_bytes)))].sort((a, b) => a - b);
  return {
    caption: `${name} by live heap`,
    columns: [{ title: 'Live' }, ...all.map((each) => ({ title: shortName(each.system), system: each.system }))],
    rows: [
      ...sizes.map((size) => ({
        cells: [
          { value: size, kind: 'bytes' as const },
          ...all.map((each) => {
            const at = each.points.findIndex((point) => point.live_bytes === size);
            return { value: each.points[at]?.value, kind, from: `${each.from}/points/${at}/value` };
          }),
        ],
      })),
      {
        strong: true,
        cells: [
          'Exponent',
          ...all.map((each) => ({ value: each.exponent, kind: 'number' as const, from: `${each.from}/exponent` })),
        ],
      },
    ],
  };
}

export function scaling(page: Page): Section | null {
  const groups = groupBy(
    curvesOf(page.report, 'scaling').filter((each) => each.points.length > 0),
    (each) => `${each.workload}: ${wordsOf(each.figure)}`,
  );
  if (groups.size === 0) return null;
  const plate = new Plate(page);
  return section(
    'scaling',
    'Scaling with the live heap',
    'An exponent of 1 is a cost proportional to what is live; below it the system gets cheaper by the byte, above it dearer.',
    choosing('Figure', groups, (name, all) => plate.show(name, chart(name, all), values(name, all))),
    plate.element,
  );
}
