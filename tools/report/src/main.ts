// The page: reads the data it carries, puts the sections together, and leaves out those that nothing was measured for.
import { el } from './dom';
import { legend } from './legend';
import { read, systemOf, type Report } from './model/report';
import { allocatorEvolution, allocators } from './sections/allocators';
import { environment } from './sections/environment';
import { collectorEvolution } from './sections/evolution';
import { glance } from './sections/glance';
import { headline } from './sections/headline';
import { latency } from './sections/latency';
import { mmu } from './sections/mmu';
import { scaling } from './sections/scaling';
import { scatter } from './sections/scatter';
import type { Page, Section } from './sections/section';
import { targets } from './sections/targets';
import { timeline } from './sections/timeline';
import { tuning } from './sections/tuning';
import { Choice } from './state';
import { themeButton } from './theme';

// What the program feels comes before what it costs, and both before the reasons.
const makers: ((page: Page) => Section | null)[] = [
  glance,
  targets,
  latency,
  mmu,
  headline,
  scatter,
  scaling,
  timeline,
  tuning,
  collectorEvolution,
  allocators,
  allocatorEvolution,
  environment,
];

function measuredOn(report: Report): string {
  const documents = [...report.gc, ...report.malloc].map((each) => each.document);
  const facts = documents.map((each) => each.environment ?? {}).find((each) => Object.keys(each).length > 0) ?? {};
  const runs = documents.map((each) => each.runs).find((each) => each !== undefined);
  const started = documents
    .map((each) => each.started)
    .filter((each) => each !== undefined)
    .sort()
    .pop();
  const cores = facts.cores === undefined ? undefined : `${facts.cores} core${facts.cores === '1' ? '' : 's'}`;
  return [
    started?.slice(0, 10),
    facts.processor,
    cores,
    facts.memory,
    facts.kernel,
    runs === undefined ? undefined : `median of ${runs} run${runs === 1 ? '' : 's'}`,
  ]
    .filter((each) => each !== undefined && each !== '')
    .join(' \u00b7 ');
}

function systemsOf(report: Report): string[] {
  const collectors = report.rows.filter((row) => row.part !== 'evolution').map((row) => row.system);
  const order = report.systems.filter((system) => collectors.includes(system));
  const allocatorNames = report.malloc
    .filter(({ document }) => document.evolution === undefined)
    .flatMap(({ document }) => Object.keys(document.allocators ?? {}).map(systemOf));
  return [...new Set([...order, ...allocatorNames])];
}

// Where a link leads to, and what the keyboard comes to, is not to lie under the bar, however many lines that has.
function keepClearOf(bar: HTMLElement): void {
  new ResizeObserver(() => {
    document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 16}px`;
  }).observe(bar);
}

function start(): void {
  const report = read(document.getElementById('umber-data')?.textContent ?? '{"files":[]}');
  const choice = new Choice();
  const page: Page = { report, choice };
  const sections = makers.map((make) => make(page)).filter((each) => each !== null);
  const links = sections.map(({ id, title }) => el('a', { href: `#${id}` }, title));
  document.getElementById('measured')?.append(measuredOn(report));
  const bar = document.getElementById('bar');
  bar?.append(
    el('nav', { 'aria-label': 'Sections' }, ...links),
    el('div', { class: 'choices' }, legend(systemsOf(report), choice), themeButton(choice)),
  );
  if (bar) keepClearOf(bar);
  document.getElementById('sections')?.append(...sections.map(({ element }) => element));
  document.documentElement.dataset.ready = 'true';
}

// Canvas text is drawn once: the fonts have to be there.
document.fonts.ready
  .then(() =>
    Promise.all([document.fonts.load('400 12px "Source Sans 3"'), document.fonts.load('600 12px "Source Sans 3"')]),
  )
  .then(start);
