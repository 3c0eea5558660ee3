// Limits and ticks. A logarithmic axis shows its decades, and 2 and 5 between them when there are few; bytes go by
// powers of two.
import type { Axis, Mark } from './spec';

type Limits = [number, number];

function extent(axis: Axis, values: number[]): Limits | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (axis.log && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}

// The limits that show all of the marks with a little air.
export function limits(axis: Axis, marks: Mark[], pick: 'x' | 'y'): Limits {
  const found = extent(
    axis,
    marks.flatMap((mark) => mark[pick]),
  ) ?? [axis.min ?? 1, axis.max ?? 10];
  let [low, high] = found;
  if (axis.log) {
    const air = Math.max(Math.pow(high / low, 0.05), 1.08);
    low /= air;
    high *= air;
  } else {
    const air = (high - low || Math.abs(high) || 1) * 0.06;
    low = low >= 0 && low < high / 2 ? 0 : low - air;
    high += air;
  }
  return [axis.min ?? low, axis.max ?? high];
}

export function ticks(axis: Axis, low: number, high: number, room: number): number[] {
  return axis.log ? logTicks(axis, low, high, room) : linearTicks(axis, low, high, room);
}

function logTicks(axis: Axis, low: number, high: number, room: number): number[] {
  if (axis.kind === 'percentile')
    return thin(
      [1, 2, 4, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].filter((t) => t >= low && t <= high),
      room,
    );
  const base = axis.kind === 'bytes' ? 2 : 10;
  const powers: number[] = [];
  for (let p = Math.ceil(Math.log(low) / Math.log(base) - 1e-9); base ** p <= high * (1 + 1e-9); ++p)
    powers.push(base ** p);
  if (powers.length >= (base === 2 ? 2 : 3)) return thin(powers, room);
  if (base === 2) return linearTicks(axis, low, high, room);
  const between: number[] = [];
  for (let p = Math.floor(Math.log10(low)); 10 ** p <= high; ++p) {
    for (const step of [1, 2, 5]) {
      const tick = Number((step * 10 ** p).toPrecision(1));
      if (tick >= low && tick <= high) between.push(tick);
    }
  }
  return between.length >= 4 ? thin(between, room) : linearTicks(axis, low, high, room);
}

function thin(all: number[], room: number): number[] {
  const step = Math.ceil(all.length / Math.max(2, room));
  return all.filter((_, i) => i % step === 0);
}

function linearTicks(axis: Axis, low: number, high: number, room: number): number[] {
  const rough = (high - low) / Math.max(2, room);
  const step = axis.kind === 'bytes' ? binaryStep(rough) : decimalStep(rough);
  const all: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); ++i)
    all.push(Number((i * step).toPrecision(12)));
  return all;
}

function decimalStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
}

// 1, 2, 4 ... of a unit, and 250 or 500 of it, so that the labels stay round.
function binaryStep(rough: number): number {
  const unit = 1024 ** Math.max(0, Math.floor(Math.log(rough) / Math.log(1024)));
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 256, 512, 1024].find((each) => each * unit >= rough) ?? 1024;
  return step * unit;
}
