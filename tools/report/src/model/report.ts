// All documents as one: rows in the order of the files, and of rows measured twice the later one.
import type { GcDocument, GcRow, MallocDocument, Run, Source } from './documents';

export interface PlacedRow extends GcRow {
  // Where the row stands: the file and the path inside it.
  from: string;
}

export type PlacedCurve<Study extends 'scaling' | 'tuning'> = NonNullable<GcDocument[Study]>[number] & { from: string };

export interface Report {
  gc: Source<GcDocument>[];
  malloc: Source<MallocDocument>[];
  rows: PlacedRow[];
  systems: string[];
  versions: Map<string, string>;
}

export function read(text: string): Report {
  const { files } = JSON.parse(text) as { files: Source<GcDocument | MallocDocument>[] };
  const gc = files.filter((each): each is Source<GcDocument> => each.document.bench === 'gc');
  const malloc = files.filter((each): each is Source<MallocDocument> => each.document.bench === 'malloc');
  gc.sort((a, b) => (a.document.started ?? '').localeCompare(b.document.started ?? ''));
  const rows = new Map<string, PlacedRow>();
  const versions = new Map<string, string>();
  for (const { file, document } of gc) {
    for (const { name, version } of document.systems ?? []) versions.set(name, version ?? '');
    document.rows.forEach((row, i) =>
      rows.set(`${row.part}\n${row.row}\n${row.system}`, { ...row, from: `${file}/rows/${i}` }),
    );
  }
  const all = [...rows.values()];
  return { gc, malloc, rows: all, systems: order(all, versions), versions };
}

function order(rows: PlacedRow[], versions: Map<string, string>): string[] {
  const measured = new Set(rows.map((row) => row.system));
  return [...new Set([...versions.keys(), ...measured])].filter((name) => measured.has(name));
}

export function shownRun(row: GcRow): Run | null {
  const run = row.runs?.[row.shown ?? 0];
  return run && row.problem === undefined && run.problem === undefined ? run : null;
}

export function rowsOf(report: Report, part: string): PlacedRow[] {
  return report.rows.filter((row) => row.part === part);
}

export function groupBy<Each>(all: Each[], nameOf: (each: Each) => string): Map<string, Each[]> {
  const groups = new Map<string, Each[]>();
  for (const each of all) groups.set(nameOf(each), [...(groups.get(nameOf(each)) ?? []), each]);
  return groups;
}

// Rows that are to be compared, by the name they share.
export function grouped(rows: PlacedRow[]): Map<string, PlacedRow[]> {
  return groupBy(rows, (row) => row.row);
}

// The first group of a workload with a pace, if there is one: there waiting counts.
export function firstPaced(groups: ReadonlyMap<string, PlacedRow[]>): string | undefined {
  return [...groups].find(([, rows]) => rows[0].paced)?.[0];
}

// The curves of a study, of all files, and where each stands.
export function curvesOf<Study extends 'scaling' | 'tuning'>(report: Report, study: Study): PlacedCurve<Study>[] {
  return report.gc.flatMap(({ file, document }) =>
    (document[study] ?? []).map((curve, i) => ({ ...curve, from: `${file}/${study}/${i}` }) as PlacedCurve<Study>),
  );
}

// An allocator of `bench malloc` is the same system as the malloc of that name among collectors.
export function systemOf(allocator: string): string {
  return `malloc:${allocator}`;
}

// What a system is called in a chart: `umber:insertion` by its last word.
export function shortName(system: string): string {
  const last = system.slice(system.indexOf(':') + 1);
  if (system.startsWith('umber:')) return last.replaceAll('_', ' ');
  return system.startsWith('malloc:') ? `malloc, ${last}` : system;
}
