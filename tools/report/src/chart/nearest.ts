// What the cursor is at: the value of each line at one x, or the single point nearest to it.
import type uPlot from 'uplot';
import type { Mark } from './spec';

export interface Hit {
  mark: Mark;
  index: number;
  // Where it is, relative to the plotting area.
  left: number;
  top: number;
}

const reach = 40;

function place(plot: uPlot, mark: Mark, index: number): Hit {
  return { mark, index, left: plot.valToPos(mark.x[index], 'x'), top: plot.valToPos(mark.y[index], 'y') };
}

// Lines are ascending in x; the point nearest to `left` of each, when it is near at all.
export function hitsAt(plot: uPlot, marks: Mark[], left: number): Hit[] {
  const hits: Hit[] = [];
  for (const mark of marks) {
    if (mark.quiet) continue;
    let best: Hit | null = null;
    for (let i = 0; i < mark.x.length; ++i) {
      const hit = place(plot, mark, i);
      if (!Number.isFinite(hit.top)) continue;
      if (!best || Math.abs(hit.left - left) < Math.abs(best.left - left)) best = hit;
    }
    if (best && Math.abs(best.left - left) <= reach) hits.push(best);
  }
  return hits.sort((a, b) => a.top - b.top);
}

export function hitNear(plot: uPlot, marks: Mark[], left: number, top: number): Hit[] {
  let best: Hit | null = null;
  let shortest = reach;
  for (const mark of marks) {
    if (mark.quiet) continue;
    for (let i = 0; i < mark.x.length; ++i) {
      const hit = place(plot, mark, i);
      const distance = Math.hypot(hit.left - left, mark.form === 'stems' ? 0 : hit.top - top);
      if (distance < shortest) {
        shortest = distance;
        best = hit;
      }
    }
  }
  return best ? [best] : [];
}

// Every place the arrow keys visit, from left to right.
export function stops(plot: uPlot, marks: Mark[], hover: 'x' | 'point'): { left: number; top: number }[] {
  const all = marks
    .filter((mark) => !mark.quiet)
    .flatMap((mark) => mark.x.map((_, i) => place(plot, mark, i)))
    .filter((hit) => hit.left >= -1 && hit.left <= plot.rect.width + 1 && Number.isFinite(hit.top));
  all.sort((a, b) => a.left - b.left || a.top - b.top);
  if (hover === 'point') return all;
  const kept: Hit[] = [];
  for (const hit of all) if (kept.length === 0 || hit.left - kept[kept.length - 1].left > 1) kept.push(hit);
  return kept;
}
