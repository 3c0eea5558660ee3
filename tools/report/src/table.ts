// Tables: what a chart shows, for those who cannot see it, and what is better read than looked at. Each figure's cell
// holds the exact value in `data-value`.
import { el } from './dom';
import { format, type Kind } from './format';
import type { Choice } from './state';

export interface Figure {
  value: number | null | undefined;
  kind: Kind;
  note?: string;
  best?: boolean;
  // Where in the documents the value stands, such as `gc.json/rows/0/results/umber/wall_ns`.
  from?: string;
}

export type Cell = string | Figure | HTMLElement;

export interface Column {
  title: string;
  // The system that hides the column.
  system?: string;
}

export interface Row {
  cells: Cell[];
  // The system that hides the row.
  system?: string;
  strong?: boolean;
}

export interface TableSpec {
  caption: string;
  columns: Column[];
  rows: Row[];
}

function figureCell(figure: Figure): HTMLTableCellElement {
  if (figure.value === null || figure.value === undefined || !Number.isFinite(figure.value)) {
    return el('td', { class: 'figure none' }, el('span', { 'aria-label': 'unknown' }, '–'));
  }
  const cell = el(
    'td',
    { class: figure.best ? 'figure best' : 'figure', 'data-value': String(figure.value), 'data-kind': figure.kind },
    el('span', { class: 'amount' }, format(figure.value, figure.kind)),
  );
  if (figure.from) cell.dataset.from = figure.from;
  if (figure.note) cell.append(el('span', { class: 'note' }, figure.note));
  return cell;
}

function cellElement(cell: Cell, first: boolean): HTMLTableCellElement {
  if (typeof cell === 'string') return first ? el('th', { scope: 'row' }, cell) : el('td', {}, cell);
  if (cell instanceof HTMLElement) return first ? el('th', { scope: 'row' }, cell) : el('td', {}, cell);
  return figureCell(cell);
}

export function table(spec: TableSpec, choice: Choice): HTMLElement {
  const heads = spec.columns.map((column) => el('th', { scope: 'col' }, column.title));
  const rows = spec.rows.map((row) =>
    el('tr', row.strong ? { class: 'strong' } : {}, ...row.cells.map((cell, i) => cellElement(cell, i === 0))),
  );
  const update = () => {
    spec.columns.forEach((column, i) => {
      const hidden = column.system !== undefined && !choice.shows(column.system);
      heads[i].hidden = hidden;
      for (const row of rows) (row.children[i] as HTMLElement).hidden = hidden;
    });
    spec.rows.forEach((row, i) => {
      rows[i].hidden = row.system !== undefined && !choice.shows(row.system);
    });
  };
  update();
  const whole = el(
    'table',
    {},
    el('caption', { class: 'unseen' }, spec.caption),
    el('thead', {}, el('tr', {}, ...heads)),
    el('tbody', {}, ...rows),
  );
  choice.listen(whole, update);
  // The caption is shown above what scrolls, so that a narrow window does not cut it off.
  return el(
    'div',
    {},
    el('p', { class: 'caption', 'aria-hidden': 'true' }, spec.caption),
    el('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': spec.caption }, whole),
  );
}

// A table that is folded away until it is asked for.
export function folded(summary: string, ...content: HTMLElement[]): HTMLElement {
  return el('details', {}, el('summary', {}, summary), ...content);
}
