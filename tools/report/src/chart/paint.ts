// Draws the marks on the canvas on which uPlot has drawn the axes. All lengths are in pixels of the canvas.
import type uPlot from 'uplot';
import { property } from '../dom';
import { look, type Shape } from '../palette';
import type { Mark, Shade } from './spec';

export interface Pen {
  plot: uPlot;
  context: CanvasRenderingContext2D;
  ratio: number;
}

export function colour(mark: Mark): string {
  return property(mark.colour ?? look(mark.system).colour);
}

export function position(pen: Pen, mark: Mark, index: number): [number, number] {
  return [pen.plot.valToPos(mark.x[index], 'x', true), pen.plot.valToPos(mark.y[index], 'y', true)];
}

export function paintShades(pen: Pen, shades: Shade[]): void {
  const { plot, context, ratio } = pen;
  const box = plot.bbox;
  context.fillStyle = property('--shade');
  for (const shade of shades) {
    const from = Math.max(box.left, plot.valToPos(shade.from, 'x', true));
    const to = Math.min(box.left + box.width, plot.valToPos(shade.to, 'x', true));
    if (to > box.left && from < box.left + box.width)
      context.fillRect(from, box.top, Math.max(to - from, ratio), box.height);
  }
}

export function paintMark(pen: Pen, mark: Mark): void {
  const { context, ratio } = pen;
  context.save();
  context.strokeStyle = context.fillStyle = colour(mark);
  context.globalAlpha = mark.opacity ?? 1;
  context.lineWidth = (mark.width ?? 1.75) * ratio;
  context.lineJoin = 'round';
  if (mark.form === 'stems') paintStems(pen, mark);
  if (mark.form === 'line' || mark.form === 'both' || mark.form === 'steps') paintLine(pen, mark);
  context.setLineDash([]);
  if (mark.form === 'points' || mark.form === 'both') {
    const size = (mark.size ?? 4) * ratio;
    for (let i = 0; i < mark.x.length; ++i) {
      const [x, y] = position(pen, mark, i);
      paintShape(context, mark.shape ?? look(mark.system).shape, x, y, size);
    }
  }
  context.restore();
}

function paintLine(pen: Pen, mark: Mark): void {
  const { context, ratio } = pen;
  context.setLineDash((mark.dash ?? look(mark.system).dash).map((each) => each * ratio));
  context.beginPath();
  let before: number | null = null;
  for (let i = 0; i < mark.x.length; ++i) {
    const [x, y] = position(pen, mark, i);
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      before = null;
      continue;
    }
    if (before === null) context.moveTo(x, y);
    else if (mark.form === 'steps') {
      context.lineTo(x, before);
      context.lineTo(x, y);
    } else context.lineTo(x, y);
    before = y;
  }
  context.stroke();
}

function paintStems(pen: Pen, mark: Mark): void {
  const { context, plot } = pen;
  const bottom = plot.bbox.top + plot.bbox.height;
  context.beginPath();
  for (let i = 0; i < mark.x.length; ++i) {
    const [x, y] = position(pen, mark, i);
    context.moveTo(x, bottom);
    context.lineTo(x, y);
  }
  context.stroke();
}

function paintShape(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, r: number): void {
  context.beginPath();
  if (shape === 'circle') context.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === 'square') context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else if (shape === 'cross') {
    context.lineWidth = r * 0.6;
    for (const side of [-1, 1]) {
      context.moveTo(x - r, y - r * side);
      context.lineTo(x + r, y + r * side);
    }
    context.stroke();
    return;
  } else {
    const corners =
      shape === 'triangle'
        ? [
            [0, -1.15],
            [1.1, 0.85],
            [-1.1, 0.85],
          ]
        : [
            [0, -1.3],
            [1.3, 0],
            [0, 1.3],
            [-1.3, 0],
          ];
    corners.forEach(([dx, dy], i) =>
      i === 0 ? context.moveTo(x + dx * r, y + dy * r) : context.lineTo(x + dx * r, y + dy * r),
    );
    context.closePath();
  }
  context.fill();
}
