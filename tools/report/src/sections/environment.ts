// Where and how it was measured, and the command behind each row, so that anyone can do it again.
import { el } from '../dom';
import type { Common, GcDocument, MallocDocument } from '../model/documents';
import { shortName } from '../model/report';
import { folded } from '../table';
import { section, type Page, type Section } from './section';

function pairs(entries: [string, string][]): HTMLElement {
  return el('dl', { class: 'facts' }, ...entries.flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, text)]));
}

function facts(file: string, document: Common): [string, string][] {
  const found: [string, string][] = [['file', file]];
  if (document.command !== undefined) found.push(['command', document.command]);
  if (document.started !== undefined) found.push(['started', document.started]);
  if (document.seconds !== undefined) found.push(['took', `${Math.round(document.seconds)} s`]);
  if (document.runs !== undefined) found.push(['runs of each row', String(document.runs)]);
  return [...found, ...Object.entries(document.environment ?? {})];
}

function systems(document: GcDocument): HTMLElement | null {
  const entries = (document.systems ?? []).map(({ name, version }): [string, string] => [
    shortName(name),
    version ?? '',
  ]);
  const absent = (document.missing ?? []).map(({ system, remedy }): [string, string] => [
    system,
    `not measured: ${remedy}`,
  ]);
  return entries.length + absent.length === 0
    ? null
    : el('div', {}, el('h4', {}, 'Systems'), pairs([...entries, ...absent]));
}

function commands(lines: [string, string][]): HTMLElement {
  return folded(
    `Commands (${lines.length})`,
    el(
      'ul',
      { class: 'commands' },
      ...lines.map(([name, command]) => el('li', {}, el('span', {}, name), el('code', {}, command))),
    ),
  );
}

function gcPart(file: string, document: GcDocument): HTMLElement {
  const lines = document.rows.flatMap((row): [string, string][] =>
    row.command === undefined ? [] : [[`${row.row}, ${row.system}`, row.command]],
  );
  return el(
    'div',
    { class: 'card' },
    el('h3', {}, 'Collectors'),
    pairs(facts(file, document)),
    systems(document),
    commands(lines),
  );
}

function mallocPart(file: string, document: MallocDocument): HTMLElement {
  const lines = document.rows.flatMap((row) =>
    Object.entries(row.commands ?? {}).map(([name, command]): [string, string] => [`${row.name}, ${name}`, command]),
  );
  const libraries = Object.entries(document.allocators ?? {}).filter(([, path]) => path !== '');
  return el(
    'div',
    { class: 'card' },
    el('h3', {}, 'Allocators'),
    pairs(facts(file, document)),
    libraries.length > 0 ? el('h4', {}, 'Libraries') : null,
    pairs(libraries),
    commands(lines),
  );
}

export function environment(page: Page): Section {
  const parts = [
    ...page.report.gc.map(({ file, document }) => gcPart(file, document)),
    ...page.report.malloc.map(({ file, document }) => mallocPart(file, document)),
  ];
  return section('environment', 'How it was measured', '', el('div', { class: 'cards' }, ...parts));
}
