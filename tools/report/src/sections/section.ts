// What all sections share: a heading, a sentence, a choice among rows, and a chart with its table beside it.
import { Chart } from '../chart/chart';
import type { ChartSpec } from '../chart/spec';
import { el } from '../dom';
import type { Report } from '../model/report';
import type { Choice } from '../state';
import { folded, table, type TableSpec } from '../table';

export interface Page {
  report: Report;
  choice: Choice;
}

export interface Section {
  id: string;
  title: string;
  element: HTMLElement;
}

export function section(id: string, title: string, lead: string, ...content: (HTMLElement | null)[]): Section {
  const heading = el('h2', { id: `${id}-title` }, title);
  const element = el(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    heading,
    lead === '' ? null : el('p', { class: 'lead' }, lead),
    ...content,
  );
  return { id, title, element };
}

// A chart that can be drawn anew, with its values as a table: folded away below it, or open beside it.
export class Plate {
  readonly element: HTMLElement;
  private chart: Chart | null = null;
  private caption = el('figcaption', {});
  private values = el('div', {});

  constructor(
    private page: Page,
    private place: 'below' | 'beside' = 'below',
  ) {
    this.element = el('figure', place === 'beside' ? { class: 'beside' } : {});
  }

  destroy(): void {
    this.chart?.destroy();
  }

  show(title: string, spec: ChartSpec, values: TableSpec): this {
    if (this.chart) this.chart.replace(spec);
    else {
      this.chart = new Chart(spec, this.page.choice);
      this.element.append(this.caption, this.chart.figure, this.values);
    }
    this.caption.textContent = title;
    const all = table(values, this.page.choice);
    if (this.place === 'below') {
      const open = this.values.querySelector('details')?.open ?? false;
      const fold = folded('Values', all);
      fold.toggleAttribute('open', open);
      this.values.replaceChildren(fold);
    } else this.values.replaceChildren(all);
    return this;
  }
}

let chooserCount = 0;

// One of several, by a list that opens; nothing to choose from is no list.
function chooser(label: string, names: string[], chosen: string, changed: (name: string) => void): HTMLElement {
  if (names.length < 2) return el('p', { class: 'chooser' }, `${label} `, el('b', {}, names[0] ?? ''));
  const id = `choose-${++chooserCount}`;
  const list = el('select', { id }, ...names.map((name) => el('option', { value: name }, name)));
  list.value = chosen;
  list.addEventListener('change', () => changed(list.value));
  return el('p', { class: 'chooser' }, el('label', { for: id }, label), ' ', list);
}

// Shows one of several groups, and is the list by which another is chosen.
export function choosing<Group>(
  label: string,
  groups: ReadonlyMap<string, Group>,
  show: (name: string, group: Group) => void,
  first = [...groups.keys()][0],
): HTMLElement {
  const shown = (name: string) => {
    const group = groups.get(name);
    if (group !== undefined) show(name, group);
  };
  shown(first);
  return chooser(label, [...groups.keys()], first, shown);
}

// One of a few, side by side.
function tabs(label: string, names: string[], changed: (index: number) => void): HTMLElement {
  const group = `tabs-${++chooserCount}`;
  return el(
    'div',
    { class: 'tabs', role: 'radiogroup', 'aria-label': label },
    ...names.map((name, i) => {
      const button = el('input', {
        type: 'radio',
        name: group,
        id: `${group}-${i}`,
        ...(i === 0 ? { checked: '' } : {}),
      });
      button.addEventListener('change', () => changed(i));
      return el('span', {}, button, el('label', { for: `${group}-${i}` }, name));
    }),
  );
}

// One of a few views at a time, by the tabs above them.
export function tabbed(label: string, views: ReadonlyMap<string, HTMLElement>): HTMLElement {
  const all = [...views.values()];
  const show = (chosen: number) =>
    all.forEach((view, i) => {
      view.hidden = i !== chosen;
    });
  show(0);
  return el('div', {}, tabs(label, [...views.keys()], show), ...all);
}

// What went wrong is told where the figures would stand.
export function failures(lines: string[]): HTMLElement | null {
  if (lines.length === 0) return null;
  return el(
    'div',
    { class: 'problems', role: 'note' },
    el('h3', {}, 'What failed'),
    el('ul', {}, ...lines.map((line) => el('li', {}, line))),
  );
}
