// A chart: uPlot for canvas, axes, cursor and zoom; the marks, labels and hovering are drawn here, so that lines need
// no common x and points no order. Dragging zooms, a double click shows all again; with the keyboard the arrows walk
// from value to value, + and - zoom, 0 shows all.
import uPlot from 'uplot';
import { el, property } from '../dom';
import { tickText } from '../format';
import type { Choice } from '../state';
import { paintLabels } from './labels';
import { hitNear, hitsAt, stops } from './nearest';
import { paintMark, paintShades, type Pen } from './paint';
import { limits, ticks } from './scale';
import type { Axis, ChartSpec, Mark } from './spec';
import { Tooltip } from './tooltip';

const labelRoom = 112;
const narrow = 560;

function inside(plot: uPlot, { left, top }: { left: number; top: number }): boolean {
  return left >= -1 && left <= plot.over.clientWidth + 1 && top >= -1 && top <= plot.over.clientHeight + 1;
}

export class Chart {
  readonly figure: HTMLElement;
  private stage: HTMLElement;
  private plot: uPlot | null = null;
  private tooltip: Tooltip | null = null;
  private aloud = false;
  private stop = -1;

  constructor(
    private spec: ChartSpec,
    private choice: Choice,
  ) {
    this.stage = el('div', {
      class: 'stage',
      tabindex: '0',
      role: 'application',
      'aria-roledescription': 'chart',
      'aria-label': `${spec.summary} Arrow keys read the values, plus and minus zoom, 0 shows all.`,
    });
    this.figure = el(
      'div',
      { class: 'chart' },
      el('div', { class: 'axis-title' }, spec.y.title),
      this.stage,
      el('div', { class: 'axis-title below' }, spec.x.title),
    );
    this.stage.addEventListener('keydown', (event) => this.key(event));
    this.stage.addEventListener('blur', () => this.tooltip?.show([], false));
    choice.listen(this.figure, () => this.refresh());
    new ResizeObserver(() => this.resize()).observe(this.stage);
  }

  replace(spec: ChartSpec): void {
    this.spec = spec;
    this.plot?.destroy();
    this.plot = null;
    this.stage.replaceChildren();
    this.resize();
  }

  // uPlot listens to the window: a chart that is thrown away has to say so.
  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  private labelled(): boolean {
    return this.spec.marks.some((mark) => mark.endLabel || mark.pointLabels);
  }

  private shown(): Mark[] {
    return this.spec.marks.filter(
      (mark) => mark.x.length > 0 && (mark.system === '' || this.choice.shows(mark.system)),
    );
  }

  private resize(): void {
    const width = this.stage.clientWidth;
    if (width === 0) return;
    const height = this.spec.height ?? 340;
    this.figure.classList.toggle('labelled', this.labelled() && width >= narrow);
    if (this.plot) this.plot.setSize({ width, height });
    else this.make(width, height);
  }

  private make(width: number, height: number): void {
    this.plot = new uPlot(this.options(width, height), this.corners(), this.stage);
    this.tooltip = new Tooltip(this.spec, this.plot.over, this.figure);
  }

  // The series that uPlot knows of: two invisible points that span what is shown.
  private corners(): uPlot.AlignedData {
    return [this.whole('x'), this.whole('y')];
  }

  private whole(along: 'x' | 'y'): [number, number] {
    return limits(this.spec[along], this.shown(), along);
  }

  private refresh(): void {
    if (!this.plot) return;
    this.tooltip?.show([], false);
    this.stop = -1;
    this.plot.setData(this.corners());
  }

  private options(width: number, height: number): uPlot.Options {
    const right = (self: uPlot) => (this.labelled() && self.width >= narrow ? labelRoom : 12);
    return {
      width,
      height,
      padding: [10, right, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, distr: this.spec.x.log ? 3 : 1, range: (_, low, high) => [low, high] },
        y: { distr: this.spec.y.log ? 3 : 1, range: () => this.whole('y') },
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: [this.axis(this.spec.x, true), this.axis(this.spec.y, false)],
      cursor: {
        points: { show: false },
        drag: { x: true, y: true, uni: 24, dist: 6 },
        ...(this.spec.group ? { sync: { key: this.spec.group, scales: ['x', null] as [string, null] } } : {}),
      },
      hooks: {
        drawAxes: [(self) => this.paint(self)],
        setCursor: [(self) => this.hover(self)],
      },
    };
  }

  private axis(axis: Axis, across: boolean): uPlot.Axis {
    const font = `12px ${property('--sans')}`;
    return {
      font,
      stroke: () => property('--muted'),
      size: across ? 28 : 62,
      gap: 6,
      grid: { stroke: () => property('--line'), width: 1, show: !across || axis.log },
      ticks: { show: false },
      border: { show: across, stroke: () => property('--line-strong'), width: 1 },
      splits: (self, _, low, high) => ticks(axis, low, high, across ? self.width / 82 : self.height / 46),
      filter: (_, splits) => splits,
      values: (_, splits) => splits.map((tick) => tickText(tick, axis.kind)),
    };
  }

  private paint(plot: uPlot): void {
    const context = plot.ctx;
    const pen: Pen = { plot, context, ratio: uPlot.pxRatio };
    const box = plot.bbox;
    const marks = this.shown();
    context.save();
    context.beginPath();
    context.rect(box.left, box.top - 6, box.width + 6, box.height + 12);
    context.clip();
    paintShades(pen, this.spec.shades ?? []);
    for (const mark of marks) paintMark(pen, mark);
    context.restore();
    if (plot.width >= narrow || this.spec.hover === 'point') paintLabels(pen, marks);
  }

  private hover(plot: uPlot): void {
    const { left, top } = plot.cursor;
    if (left === undefined || top === undefined || left < 0) {
      this.tooltip?.show([], false);
      return;
    }
    const marks = this.shown();
    const hits = this.spec.hover === 'x' ? hitsAt(plot, marks, left) : hitNear(plot, marks, left, top);
    this.tooltip?.show(
      hits.filter((hit) => inside(plot, hit)),
      this.aloud,
    );
  }

  private key(event: KeyboardEvent): void {
    if (!this.plot || event.ctrlKey || event.metaKey || event.altKey) return;
    const move: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -10, ArrowDown: 10 };
    if (event.key in move) this.walk(move[event.key]);
    else if (event.key === 'Home') this.walk(-Infinity);
    else if (event.key === 'End') this.walk(Infinity);
    else if (event.key === '+' || event.key === '=') this.zoom(0.5);
    else if (event.key === '-') this.zoom(2);
    else if (event.key === '0' || event.key === 'Escape') this.refresh();
    else return;
    event.preventDefault();
  }

  private walk(step: number): void {
    if (!this.plot) return;
    const places = stops(this.plot, this.shown(), this.spec.hover);
    if (places.length === 0) return;
    const wanted = this.stop < 0 && step > 0 && Number.isFinite(step) ? 0 : this.stop + step;
    this.stop = Math.max(0, Math.min(places.length - 1, wanted));
    this.aloud = true;
    this.plot.setCursor({ left: places[this.stop].left, top: places[this.stop].top });
    this.aloud = false;
  }

  // Narrows or widens x about the cursor, or the middle.
  private zoom(factor: number): void {
    const plot = this.plot;
    if (!plot) return;
    const width = plot.over.clientWidth;
    const left = plot.cursor.left !== undefined && plot.cursor.left >= 0 ? plot.cursor.left : width / 2;
    const from = left - left * factor;
    const to = left + (width - left) * factor;
    if (factor > 1 && from < -width * 8) return;
    plot.setScale('x', { min: plot.posToVal(from, 'x'), max: plot.posToVal(to, 'x') });
    this.stop = -1;
  }
}
