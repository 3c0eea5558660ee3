// Figures as people read them: three digits and a unit. The exact value stands beside each in `data-value`.

export type Kind = 'duration' | 'bytes' | 'count' | 'ratio' | 'share' | 'percentile' | 'number' | 'percent';

function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  return size >= 0.0995 ? value.toFixed(2) : value.toPrecision(2);
}

// The first unit in which the value, rounded as it will be shown, stays below the next one.
function scaled(value: number, units: [number, string][]): string {
  const last = units[units.length - 1];
  for (let i = 0; i + 1 < units.length; ++i) {
    if (Math.abs(value) < units[i + 1][0] * 0.9995) return shown(value, units[i]);
  }
  return shown(value, last);
}

function shown(value: number, [size, name]: [number, string]): string {
  const amount = value / size;
  const text = size === 1 && Number.isInteger(value) ? String(value) : digits(amount);
  return name === '' ? text : `${text}\u202f${name}`;
}

export function duration(ns: number): string {
  return scaled(ns, [
    [1, 'ns'],
    [1e3, 'µs'],
    [1e6, 'ms'],
    [1e9, 's'],
  ]);
}

export function bytes(amount: number): string {
  return scaled(amount, [
    [1, 'B'],
    [2 ** 10, 'KiB'],
    [2 ** 20, 'MiB'],
    [2 ** 30, 'GiB'],
  ]);
}

export function count(amount: number): string {
  if (Number.isInteger(amount) && Math.abs(amount) < 1e4) return String(amount);
  return scaled(amount, [
    [1, ''],
    [1e3, 'k'],
    [1e6, 'M'],
    [1e9, 'G'],
  ]);
}

export function percentile(oneIn: number): string {
  const share = 100 * (1 - 1 / oneIn);
  const nines = Math.max(0, Math.ceil(Math.log10(oneIn) - 1e-9) - 2);
  return `${Number(share.toFixed(Math.min(6, nines + (oneIn < 10 ? 1 : 0))))}`;
}

// The same for the ticks of an axis, which are round numbers: `1 s`, not `1.00 s`.
export function tickText(value: number, kind: Kind): string {
  if (value === 0) return '0';
  return format(value, kind).replace(/(\d)\.0+(?=\D|$)|(\.\d*[1-9])0+(?=\D|$)/, '$1$2');
}

export function format(value: number, kind: Kind): string {
  switch (kind) {
    case 'duration':
      return duration(value);
    case 'bytes':
      return bytes(value);
    case 'count':
      return count(value);
    case 'ratio':
      return `${digits(value)}×`;
    case 'share':
      return `${digits(value * 100)}\u202f%`;
    case 'percent':
      return `${digits(value)}\u202f%`;
    case 'percentile':
      return `${percentile(value)}\u202f%`;
    case 'number':
      return digits(value);
  }
}
