// The figures of a row by name: what they mean and how they are written.
import type { Kind } from '../format';
import type { GcRow } from './documents';

export interface Metric {
  title: string;
  // What it says, in a few words.
  about: string;
  kind: Kind;
  // The names under which the figure may stand, best first.
  names: string[];
  moreIsBetter?: boolean;
  // Whether a row whose rate is given has a figure worth comparing.
  paced: boolean;
}

export const metrics: Metric[] = [
  { title: 'Time', about: 'wall time of the measured part', kind: 'duration', names: ['wall_ns'], paced: false },
  {
    title: 'Processor',
    about: 'processor time of the whole process, all threads',
    kind: 'duration',
    names: ['process_ns'],
    paced: true,
  },
  {
    title: 'p99.9',
    about: 'one operation in a thousand takes longer, from when it was due',
    kind: 'duration',
    names: ['response_p99.9_ns', 'service_p99.9_ns'],
    paced: true,
  },
  {
    title: 'Longest',
    about: 'the longest operation, from when it was due',
    kind: 'duration',
    names: ['response_max_ns', 'service_max_ns'],
    paced: true,
  },
  {
    title: 'Stall',
    about: 'the longest that the system itself says it held a thread up',
    kind: 'duration',
    names: ['stall_max_ns'],
    paced: true,
  },
  {
    title: 'Peak memory',
    about: 'highest resident size of the process',
    kind: 'bytes',
    names: ['peak_rss'],
    paced: true,
  },
  {
    title: 'Operations a second',
    about: 'operations completed in a second',
    kind: 'count',
    names: ['operations_per_s'],
    moreIsBetter: true,
    paced: false,
  },
];

export interface Found {
  name: string;
  value: number;
}

export function figureOf(row: GcRow, metric: Metric): Found | null {
  if (row.problem !== undefined || (row.paced === true && !metric.paced)) return null;
  for (const name of metric.names) {
    const value = row.median?.[name];
    if (value !== undefined) return { name, value };
  }
  return null;
}

// How a figure is written, by the unit that ends its name.
export function kindOf(figure: string): Kind {
  if (/_ns(_an_object)?$/.test(figure)) return 'duration';
  if (/(_bytes|_rss|_limit|_bytes_per_(cpu_)?s)$/.test(figure)) return 'bytes';
  if (figure === 'fragmentation' || figure === 'warm_up') return 'ratio';
  return figure.startsWith('mmu_') ? 'share' : 'count';
}

const words = new Map(
  Object.entries({
    wall_ns: 'time',
    process_ns: 'processor time',
    peak_rss: 'peak memory',
    stall_max_ns: 'longest stall',
    response_max_ns: 'longest response',
    service_max_ns: 'longest operation',
    operations_per_s: 'operations a second',
  }),
);

// The name of a figure as words: `response_p99.9_ns` becomes "response p99.9".
export function wordsOf(figure: string): string {
  return (
    words.get(figure) ??
    figure
      .replace(/_(ns|bytes)$/, '')
      .replace(/_per_s$/, ' a second')
      .replace(/_per_cpu_s$/, ' a processor second')
      .replaceAll('_', ' ')
  );
}
