// The documents of `umber bench gc --json` (bench/results.md, bench/run.md) and `umber bench malloc --json`, as far as the
// page reads them. `umber report` has checked the kinds of these fields before the page sees them; any may be absent.

export interface Histogram {
  count: number;
  max: number;
  mean?: number;
  buckets?: [number, number][];
  [percentile: string]: unknown;
}

export interface Pause {
  at_ns: number;
  ns: number;
  cause?: string;
}
export interface Moment {
  at_ns: number;
  rss?: number;
  live?: number;
  goal?: number;
  heap?: number;
}
export interface Cycle {
  at_ns: number;
  ns: number;
  live?: number;
  goal?: number;
}

export interface Run {
  problem?: string;
  service_ns?: Histogram;
  response_ns?: Histogram;
  probe_ns?: Histogram;
  probe_collecting_ns?: Histogram;
  jitter_ns?: Histogram;
  stalls?: Record<string, Histogram>;
  pauses?: Pause[];
  mmu?: [number, number][];
  timeline?: Moment[];
  marking?: Cycle[];
}

export interface GcRow {
  row: string;
  part: string;
  workload?: string;
  description?: string;
  system: string;
  paced?: boolean;
  command?: string;
  problem?: string;
  runs?: Run[];
  shown?: number;
  median?: Record<string, number>;
  spread?: Record<string, [number, number]>;
  lower_bound?: { wall?: number; cpu?: number };
}

export interface ScalingPoint {
  live_bytes: number;
  value: number;
  low?: number;
  high?: number;
}
export interface Scaling {
  workload: string;
  system: string;
  figure: string;
  points: ScalingPoint[];
  exponent?: number;
}
export interface TuningPoint {
  percent?: number;
  limit?: number;
  median?: Record<string, number>;
}
export interface Tuning {
  workload: string;
  system: string;
  points: TuningPoint[];
}
export interface StepFigure {
  row: string;
  figure: string;
  from: number;
  to: number;
}
export interface Step {
  from: string;
  to: string;
  why: string;
  figures?: StepFigure[];
}
export interface Evolution {
  rows?: string[];
  steps: Step[];
}

// What umber is to reach in a row: at most or at least so much.
export interface Target {
  row: string;
  figure: string;
  at_most?: number;
  at_least?: number;
  // What the bound was made of, where that is a figure of the same run.
  basis?: string;
  measured: number;
  // What the machine itself did meanwhile.
  machine?: number;
  met: boolean;
}

export interface Common {
  bench: 'gc' | 'malloc';
  command?: string;
  started?: string;
  seconds?: number;
  runs?: number;
  environment?: Record<string, string>;
  evolution?: Evolution;
  failed?: boolean;
}

export interface GcDocument extends Common {
  bench: 'gc';
  systems?: { name: string; version?: string }[];
  missing?: { system: string; remedy: string }[];
  rows: GcRow[];
  disagreements?: { row: string; checksums: Record<string, string[]> }[];
  scaling?: Scaling[];
  tuning?: Tuning[];
  targets?: Target[];
}

export interface MallocResult {
  problem?: string;
  seconds?: number;
  fastest?: number;
  slowest?: number;
  peak_rss_kb?: number;
  time_ratio?: number;
  rss_ratio?: number;
  [figure: string]: unknown;
}

export interface MallocRow {
  name: string;
  group?: string;
  description?: string;
  results?: Record<string, MallocResult>;
  commands?: Record<string, string>;
  disagreement?: string;
}

export interface MallocDocument extends Common {
  bench: 'malloc';
  baseline: string;
  allocators?: Record<string, string>;
  rows: MallocRow[];
}

export interface Source<Document> {
  file: string;
  document: Document;
}
