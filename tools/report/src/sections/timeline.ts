// What a heap did while a workload ran: live, goal and resident memory, each cycle a shade, and below on the same axis
// the pauses by cause. One pair for each system, all on one scale.
import type { Axis, ChartSpec, Mark, Shade } from '../chart/spec';
import { el } from '../dom';
import { duration } from '../format';
import type { Moment, Run } from '../model/documents';
import { firstPaced, grouped, rowsOf, shortName, shownRun, type PlacedRow } from '../model/report';
import type { TableSpec } from '../table';
import { choosing, Plate, section, type Page, type Section } from './section';

const lines: [keyof Moment, string, string, number[]][] = [
  ['rss', 'resident', '--muted', []],
  ['goal', 'goal', '--blue', [5, 3]],
  ['heap', 'heap', '--green', []],
  ['live', 'live', '--umber', []],
];
const causeColours: Record<string, string> = {
  handshake: '--umber',
  stop: '--red',
  assist: '--blue',
  flush: '--pink',
  sweep: '--green',
  wait: '--ochre',
};
const tabledMoments = 40;

function memoryMarks(run: Run): Mark[] {
  const moments = run.timeline ?? [];
  return lines
    .map(([field, label, colour, dash]) => {
      const known = moments.filter((moment) => moment[field] !== undefined);
      return {
        system: '',
        label,
        colour,
        dash,
        x: known.map((moment) => moment.at_ns),
        y: known.map((moment) => moment[field] as number),
        form: 'line' as const,
        width: field === 'live' ? 2.25 : 1.5,
      };
    })
    .filter((mark) => mark.x.length > 0);
}

function shades(run: Run): Shade[] {
  return (run.marking ?? []).map((cycle) => ({
    from: cycle.at_ns,
    to: cycle.at_ns + cycle.ns,
    label: `cycle of ${duration(cycle.ns)}`,
  }));
}

function pauseMarks(run: Run): Mark[] {
  const causes = new Set((run.pauses ?? []).map((pause) => pause.cause ?? 'pause'));
  return [...causes].map((cause) => {
    const own = (run.pauses ?? [])
      .filter((pause) => (pause.cause ?? 'pause') === cause)
      .sort((a, b) => a.at_ns - b.at_ns);
    return {
      system: '',
      label: cause,
      colour: causeColours[cause] ?? '--muted',
      x: own.map((pause) => pause.at_ns),
      y: own.map((pause) => pause.ns),
      form: 'points' as const,
      shape: 'circle' as const,
      size: 2.4,
      details: own.map((pause) => `${duration(pause.ns)}\nat ${duration(pause.at_ns)}`),
    };
  });
}

function most(rows: PlacedRow[], of: (run: Run) => number[]): number {
  return rows.flatMap((row) => of(shownRun(row) as Run)).reduce((a, b) => Math.max(a, b), 0);
}

function least(rows: PlacedRow[], of: (run: Run) => number[]): number {
  return rows.flatMap((row) => of(shownRun(row) as Run)).reduce((a, b) => Math.min(a, b), 1e9);
}

function pauses(run: Run): number[] {
  return (run.pauses ?? []).map((pause) => pause.ns);
}

function times(run: Run): number[] {
  return [...(run.timeline ?? []), ...(run.pauses ?? [])].map((each) => each.at_ns);
}

function memoryTable(row: PlacedRow, run: Run): TableSpec {
  const moments = run.timeline ?? [];
  const step = Math.max(1, Math.ceil(moments.length / tabledMoments));
  const kept = moments.map((moment, index) => ({ moment, index })).filter(({ index }) => index % step === 0);
  const from = `${row.from}/runs/${row.shown ?? 0}/timeline`;
  return {
    caption: `${row.row}, ${shortName(row.system)}: memory over time`,
    columns: ['At', 'Resident', 'Goal', 'Heap', 'Live'].map((title) => ({ title })),
    rows: kept.map(({ moment, index }) => ({
      cells: [
        duration(moment.at_ns),
        ...lines.map(([field]) => ({
          value: moment[field],
          kind: 'bytes' as const,
          from: `${from}/${index}/${field}`,
        })),
      ],
    })),
  };
}

function pauseTable(row: PlacedRow, run: Run): TableSpec {
  const longest = (run.pauses ?? [])
    .map((pause, index) => ({ pause, index }))
    .sort((a, b) => b.pause.ns - a.pause.ns)
    .slice(0, 20);
  const from = `${row.from}/runs/${row.shown ?? 0}/pauses`;
  return {
    caption: `${row.row}, ${shortName(row.system)}: the longest pauses`,
    columns: ['Cause', 'Length', 'At'].map((title) => ({ title })),
    rows: longest.map(({ pause, index }) => ({
      cells: [
        pause.cause ?? 'pause',
        { value: pause.ns, kind: 'duration', from: `${from}/${index}/ns` },
        { value: pause.at_ns, kind: 'duration', from: `${from}/${index}/at_ns` },
      ],
    })),
  };
}

interface Limits {
  time: number;
  memory: number;
  pause: number;
  floor: number;
}

// The two charts of one system; `plates` takes them in, so that they can be thrown away together.
function pair(page: Page, row: PlacedRow, limits: Limits, plates: Plate[]): HTMLElement {
  const run = shownRun(row) as Run;
  const card = el('div', { class: 'card' }, el('h3', {}, shortName(row.system)));
  const add = (marks: Mark[], spec: ChartSpec, values: TableSpec) => {
    const plate = new Plate(page).show('', spec, values);
    plates.push(plate);
    card.append(key(marks), plate.element);
  };
  const memory = memoryMarks(run);
  const paused = pauseMarks(run);
  if (memory.length > 0) add(memory, memoryChart(row, run, memory, limits), memoryTable(row, run));
  if (paused.length > 0) add(paused, pauseChart(row, run, paused, limits), pauseTable(row, run));
  const update = () => {
    card.hidden = !page.choice.shows(row.system);
  };
  page.choice.listen(card, update);
  update();
  return card;
}

function shared(row: PlacedRow, run: Run, limits: Limits): Pick<ChartSpec, 'x' | 'shades' | 'group'> {
  const x: Axis = { title: '', kind: 'duration', log: false, min: 0, max: limits.time || 1 };
  return { x, shades: shades(run), group: `timeline-${row.row}-${row.system}` };
}

function memoryChart(row: PlacedRow, run: Run, marks: Mark[], limits: Limits): ChartSpec {
  return {
    ...shared(row, run, limits),
    summary: `Memory of ${shortName(row.system)} over time.`,
    y: {
      title: shades(run).length > 0 ? 'memory; cycles are shaded' : 'memory',
      kind: 'bytes',
      log: false,
      min: 0,
      max: limits.memory * 1.06 || 1,
    },
    marks,
    hover: 'x',
    height: 220,
  };
}

function pauseChart(row: PlacedRow, run: Run, marks: Mark[], limits: Limits): ChartSpec {
  const max = Math.max(limits.pause * 1.5, limits.floor * 10);
  return {
    ...shared(row, run, limits),
    summary: `Pauses of ${shortName(row.system)} over time.`,
    y: { title: 'pauses, by cause', kind: 'duration', log: true, min: limits.floor, max },
    marks,
    hover: 'point',
    height: 170,
  };
}

function key(marks: Mark[]): HTMLElement {
  return el(
    'p',
    { class: 'causes' },
    ...marks.map((mark) => {
      const dot = el('i', { class: 'key' });
      dot.style.background = `var(${mark.colour})`;
      return el('span', {}, dot, mark.label);
    }),
  );
}

function hasTimeline(row: PlacedRow): boolean {
  const run = shownRun(row);
  return (run?.timeline?.length ?? 0) > 0 || (run?.pauses?.length ?? 0) > 0;
}

export function timeline(page: Page): Section | null {
  const groups = new Map(
    [...grouped(rowsOf(page.report, 'main'))]
      .map(([name, rows]) => [name, rows.filter(hasTimeline)] as const)
      .filter(([, rows]) => rows.length > 0),
  );
  if (groups.size === 0) return null;
  const cards = el('div', { class: 'cards' });
  const plates: Plate[] = [];
  const show = (_: string, rows: PlacedRow[]) => {
    const limits = {
      time: most(rows, times),
      memory: most(rows, (run) => memoryMarks(run).flatMap((mark) => mark.y)),
      pause: most(rows, pauses),
      floor: 10 ** Math.floor(Math.log10(Math.max(1, least(rows, pauses)))),
    };
    for (const plate of plates.splice(0)) plate.destroy();
    cards.replaceChildren(...rows.map((row) => pair(page, row, limits, plates)));
  };
  return section(
    'timeline',
    'Heaps over time',
    'What is live, the goal the collector paces itself by, and what the system has to provide. Below each heap its pauses, on the same axis of time; where a system does not tell of its own, the longest operations stand there.',
    choosing('Workload', groups, show, firstPaced(groups)),
    cards,
  );
}
