// The little arithmetic the page does itself; everything else is in the documents.

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function geometricMean(values: number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

// The least-squares line through the logarithms: y = factor * x^exponent. Nothing for fewer than two different x.
export function powerFit(x: number[], y: number[]): { exponent: number; factor: number } | null {
  const usable = x.map((each, i) => [each, y[i]]).filter(([a, b]) => a > 0 && b > 0);
  const logs = usable.map(([a, b]) => [Math.log(a), Math.log(b)]);
  const meanX = logs.reduce((sum, [a]) => sum + a, 0) / logs.length;
  const meanY = logs.reduce((sum, [, b]) => sum + b, 0) / logs.length;
  const spread = logs.reduce((sum, [a]) => sum + (a - meanX) ** 2, 0);
  if (!(spread > 0)) return null;
  const exponent = logs.reduce((sum, [a, b]) => sum + (a - meanX) * (b - meanY), 0) / spread;
  return { exponent, factor: Math.exp(meanY - exponent * meanX) };
}
