// Why each step was taken: from the textbook to what umber does, the same workloads at each stage.
import { el } from '../dom';
import { format } from '../format';
import type { Evolution, StepFigure } from '../model/documents';
import { kindOf, wordsOf } from '../model/figures';
import { rowsOf } from '../model/report';
import { table, type Row } from '../table';
import { legend } from '../legend';
import { LatencyPlate, withDistributions } from './latency';
import { choosing, section, type Page, type Section } from './section';

function figureLine(figure: StepFigure): HTMLElement {
  const kind = kindOf(figure.figure);
  const times = figure.from > 0 && figure.to > 0 ? figure.from / figure.to : 1;
  const gain =
    times >= 1.05
      ? `${format(times, 'ratio')} less`
      : times <= 0.95
        ? `${format(1 / times, 'ratio')} more`
        : 'the same';
  return el(
    'li',
    {},
    el('span', { class: 'what' }, `${wordsOf(figure.figure)}, ${figure.row}`),
    el('span', { class: 'change' }, `${format(figure.from, kind)} \u203a `, el('b', {}, format(figure.to, kind))),
    el('span', { class: 'note' }, gain),
  );
}

export function steps(page: Page, evolution: Evolution, from: string, title: string): HTMLElement {
  const words = (name: string) => name.replaceAll('_', ' ');
  const list = el(
    'ol',
    { class: 'steps' },
    ...evolution.steps.map((step) =>
      el(
        'li',
        {},
        el('h3', {}, `${words(step.from)} to `, el('b', {}, words(step.to))),
        el('p', {}, step.why),
        el('ul', {}, ...(step.figures ?? []).map(figureLine)),
      ),
    ),
  );
  const rows: Row[] = evolution.steps.flatMap((step, i) =>
    (step.figures ?? []).map((figure, k) => ({
      cells: [
        words(step.from),
        words(step.to),
        figure.row,
        wordsOf(figure.figure),
        { value: figure.from, kind: kindOf(figure.figure), from: `${from}/steps/${i}/figures/${k}/from` },
        { value: figure.to, kind: kindOf(figure.figure), from: `${from}/steps/${i}/figures/${k}/to` },
      ],
    })),
  );
  const columns = ['From', 'To', 'Workload', 'Figure', 'Before', 'After'].map((name) => ({ title: name }));
  const fold = el('details', {}, el('summary', {}, 'Values'), table({ caption: title, columns, rows }, page.choice));
  return el('div', {}, list, fold);
}

export function collectorEvolution(page: Page): Section | null {
  const stories = page.report.gc.flatMap(({ file, document }) =>
    document.evolution ? [steps(page, document.evolution, `${file}/evolution`, 'Steps of the collector')] : [],
  );
  const groups = withDistributions(rowsOf(page.report, 'evolution'));
  if (stories.length === 0 && groups.size === 0) return null;
  const content: HTMLElement[] = [...stories];
  if (groups.size > 0) {
    const plate = new LatencyPlate(page);
    const systems = [...new Set([...groups.values()].flat().map((row) => row.system))];
    const list = choosing('Workload', groups, (name, rows) => plate.show(name, rows));
    content.push(legend(systems, page.choice), list, plate.element);
  }
  return section(
    'evolution',
    'Evolution of the collector',
    'The collectors that led to this one are still in it. The same heap and the same workloads under each, and what each step bought.',
    ...content,
  );
}
