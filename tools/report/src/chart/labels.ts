// Names beside lines and points, so that no reader has to go back and forth to a legend. Labels keep clear of each
// other: those of lines move up and down, those of points try four sides.
import { property } from '../dom';
import { colour, position, type Pen } from './paint';
import type { Mark } from './spec';

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const lineHeight = 15;

export function paintLabels(pen: Pen, marks: Mark[]): void {
  const { context, ratio } = pen;
  context.save();
  context.font = `600 ${12.5 * ratio}px ${property('--sans')}`;
  context.textBaseline = 'middle';
  paintEndLabels(
    pen,
    marks.filter((mark) => mark.endLabel),
  );
  paintPointLabels(
    pen,
    marks.filter((mark) => mark.pointLabels),
    marks,
  );
  context.restore();
}

function paintEndLabels(pen: Pen, marks: Mark[]): void {
  const { context, plot, ratio } = pen;
  const inside = marks.map((mark) => lastInside(pen, mark)).filter((each) => each !== null);
  const ends = inside.sort((a, b) => a.y - b.y);
  const step = lineHeight * ratio;
  const floor = plot.bbox.top + plot.bbox.height;
  for (let i = 1; i < ends.length; ++i) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + step);
  for (let i = ends.length - 1; i >= 0; --i) {
    const most = i + 1 < ends.length ? ends[i + 1].y - step : floor;
    ends[i].y = Math.min(ends[i].y, most);
  }
  context.textAlign = 'left';
  for (const end of ends) {
    context.fillStyle = colour(end.mark);
    context.fillText(end.mark.endLabel ?? '', end.x + 7 * ratio, end.y);
  }
}

function lastInside(pen: Pen, mark: Mark): { mark: Mark; x: number; y: number } | null {
  const { left, top, width, height } = pen.plot.bbox;
  const right = left + width;
  const within = (y: number) => y >= top - 1 && y <= top + height + 1;
  let next: [number, number] | null = null;
  for (let i = mark.x.length - 1; i >= 0; --i) {
    const [x, y] = position(pen, mark, i);
    if (x <= right + 1) {
      // A line that goes on outside is labelled where it leaves.
      const leaving = next ? y + ((next[1] - y) * (right - x)) / (next[0] - x) : y;
      if (x >= left && within(leaving)) return { mark, x: next ? right : x, y: leaving };
      if (x >= left && within(y)) return { mark, x, y };
    }
    next = x > right + 1 ? [x, y] : null;
  }
  return null;
}

function paintPointLabels(pen: Pen, labelled: Mark[], all: Mark[]): void {
  const { context, ratio } = pen;
  const gap = 8 * ratio;
  const height = lineHeight * ratio;
  const taken = all.flatMap((mark) => occupied(pen, mark, gap));
  for (const mark of labelled) {
    context.fillStyle = colour(mark);
    mark.x.forEach((_, i) => {
      const text = mark.pointLabels?.[i] ?? '';
      if (text === '') return;
      const [x, y] = position(pen, mark, i);
      const box = freeBox(x, y, context.measureText(text).width, height, gap, taken, pen);
      if (!box) return;
      taken.push(box);
      context.textAlign = 'left';
      context.fillText(text, box.left, (box.top + box.bottom) / 2);
    });
  }
}

// Where points and lines are, as small boxes.
function occupied(pen: Pen, mark: Mark, gap: number): Box[] {
  const places = mark.x.map((_, i) => position(pen, mark, i));
  if (mark.form === 'both' || mark.form === 'line') {
    for (let i = places.length - 1; i > 0; --i) {
      const [[x0, y0], [x1, y1]] = [places[i - 1], places[i]];
      const pieces = Math.min(200, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / gap));
      for (let k = 1; k < pieces; ++k) places.push([x0 + ((x1 - x0) * k) / pieces, y0 + ((y1 - y0) * k) / pieces]);
    }
  }
  const half = gap / 2;
  return places.map(([x, y]) => ({ left: x - half, right: x + half, top: y - half, bottom: y + half }));
}

// Right, left, above, below, then the corners; nothing when all are taken: hovering still names the point.
function freeBox(x: number, y: number, width: number, height: number, gap: number, taken: Box[], pen: Pen): Box | null {
  const half = height / 2;
  const places = [
    [gap, -half],
    [-gap - width, -half],
    [-width / 2, -gap - height],
    [-width / 2, gap],
    [gap * 0.7, -gap * 0.7 - height],
    [gap * 0.7, gap * 0.7],
    [-gap * 0.7 - width, -gap * 0.7 - height],
    [-gap * 0.7 - width, gap * 0.7],
  ];
  const { left, top, width: across, height: down } = pen.plot.bbox;
  // Beside the plotting area there is room, as far as the canvas goes.
  const rightmost = Math.min(left + across + 90 * pen.ratio, pen.plot.width * pen.ratio);
  for (const [dx, dy] of places) {
    const box = { left: x + dx, top: y + dy, right: x + dx + width, bottom: y + dy + height };
    const inside =
      box.left >= left &&
      box.right <= rightmost &&
      box.top >= top - half &&
      box.bottom <= top + down;
    if (inside && !taken.some((each) => overlap(each, box))) return box;
  }
  return null;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
