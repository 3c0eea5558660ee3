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

// A chart that can be drawn anew, with its values as a table folded away below it.
export class Plate {
  readonly element = el('figure', {});
  private chart: Chart | null = null;
  private caption = el('figcaption', {});
  private below = el('div', {});

  constructor(private page: Page) {}

  destroy(): void {
    this.chart?.destroy();
  }

  show(title: string, spec: ChartSpec, values: TableSpec): this {
    if (this.chart) this.chart.replace(spec);
    else {
      this.chart = new Chart(spec, this.page.choice);
      this.element.append(this.caption, this.chart.figure, this.below);
    }
    this.caption.textContent = title;
    const open = this.below.querySelector('details')?.open ?? false;
    const fold = folded('Values', table(values, this.page.choice));
    fold.toggleAttribute('open', open);
    this.below.replaceChildren(fold);
    return this;
  }
}

let chooserCount = 0;

// One of several, by a list that opens; nothing to choose from is no list.
export function chooser(label: string, names: string[], chosen: string, changed: (name: string) => void): HTMLElement {
  if (names.length < 2) return el('p', { class: 'chooser' }, `${label} `, el('b', {}, names[0] ?? ''));
  const id = `choose-${++chooserCount}`;
  const list = el('select', { id }, ...names.map((name) => el('option', { value: name }, name)));
  list.value = chosen;
  list.addEventListener('change', () => changed(list.value));
  return el('p', { class: 'chooser' }, el('label', { for: id }, label), ' ', list);
}

// One of a few, side by side.
export function tabs(label: string, names: string[], changed: (index: number) => void): HTMLElement {
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
