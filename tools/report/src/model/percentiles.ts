// From a histogram to the curve of its percentiles, by HdrHistogram's rule: the smallest recorded value that at least
// that share does not exceed. Percentiles are named by one in how many operations takes longer: 1000 is 99.9 %.
import type { Histogram } from './documents';

export interface Curve {
  x: number[];
  y: number[];
}

export const namedPercentiles: [string, number][] = [
  ['p50', 2],
  ['p90', 10],
  ['p99', 100],
  ['p99.9', 1e3],
  ['p99.99', 1e4],
  ['p99.999', 1e5],
];

const stepsPerDecade = 16;

// The curve ends at the longest value, of which there is one in `count`.
export function curveOf(histogram: Histogram): Curve {
  if (histogram.count < 1) return { x: [], y: [] };
  const curve = histogram.buckets?.length ? fromBuckets(histogram, histogram.buckets) : fromNames(histogram);
  curve.x.push(histogram.count);
  curve.y.push(histogram.max);
  return curve;
}

function fromBuckets(histogram: Histogram, buckets: [number, number][]): Curve {
  const curve: Curve = { x: [], y: [] };
  let at = 0;
  let covered = buckets[0][1];
  for (let k = 0; 10 ** (k / stepsPerDecade) < histogram.count; ++k) {
    const oneIn = 10 ** (k / stepsPerDecade);
    const rank = Math.max(1, Math.ceil(histogram.count * (1 - 1 / oneIn) - 1e-6));
    while (covered < rank && at + 1 < buckets.length) covered += buckets[++at][1];
    curve.x.push(oneIn);
    curve.y.push(Math.min(buckets[at][0], histogram.max));
  }
  return curve;
}

function fromNames(histogram: Histogram): Curve {
  const curve: Curve = { x: [], y: [] };
  for (const [name, oneIn] of namedPercentiles) {
    const value = histogram[name];
    if (typeof value !== 'number' || oneIn >= histogram.count) continue;
    curve.x.push(oneIn);
    curve.y.push(value);
  }
  return curve;
}
