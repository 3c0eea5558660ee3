// What umber is to reach, and whether it did: the bench judges, the page only shows.
import { el } from '../dom';
import type { Target } from '../model/documents';
import { kindOf, wordsOf } from '../model/figures';
import { table, type Row } from '../table';
import { section, type Page, type Section } from './section';

interface Placed extends Target {
  from: string;
}

function row(each: Placed): Row {
  const kind = kindOf(each.figure);
  const bound = each.at_least === undefined ? 'at_most' : 'at_least';
  return {
    system: 'umber',
    strong: !each.met,
    cells: [
      el('span', { class: 'workload' }, each.row),
      wordsOf(each.figure),
      bound === 'at_least' ? 'at least' : 'at most',
      { value: each[bound], kind, from: `${each.from}/${bound}`, note: each.basis },
      { value: each.measured, kind, from: `${each.from}/measured` },
      { value: each.machine, kind, from: `${each.from}/machine` },
      each.met ? 'met' : 'missed',
    ],
  };
}

export function targets(page: Page): Section | null {
  const all: Placed[] = page.report.gc.flatMap(({ file, document }) =>
    (document.targets ?? []).map((each, i) => ({ ...each, from: `${file}/targets/${i}` })),
  );
  if (all.length === 0) return null;
  const missed = all.filter((each) => !each.met).length;
  const columns = ['Workload', 'Figure', 'Bound', 'Target', 'Measured', 'Machine', 'Result'].map((title) => ({ title }));
  return section(
    'targets',
    'Targets',
    `What umber is to reach on this machine, of what was measured: ${missed} of ${all.length} missed. ` +
      'Beside a waiting time stands how long the machine itself kept an idle thread waiting.',
    table({ caption: 'Targets of umber. Those that are missed are bold.', columns, rows: all.map(row) }, page.choice),
  );
}
