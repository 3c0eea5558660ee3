// The systems, each a button that hides it in all charts and tables at once; with shift, or a double click, it is shown
// alone.
import { el, svg } from './dom';
import { shortName } from './model/report';
import { look } from './palette';
import type { Choice } from './state';

function swatch(system: string): SVGElement {
  const { colour, dash } = look(system);
  const line = svg('line', {
    x1: '1',
    x2: '21',
    y1: '5',
    y2: '5',
    'stroke-width': '3',
    'stroke-dasharray': dash.join(' '),
  });
  line.style.stroke = `var(${colour})`;
  return svg('svg', { width: '22', height: '10', 'aria-hidden': 'true' }, line);
}

export function legend(systems: string[], choice: Choice, nameOf = shortName): HTMLElement {
  const buttons = systems.map((system) => {
    const button = el(
      'button',
      { type: 'button', class: 'system', title: 'Click to hide or show everywhere, with shift to show alone' },
      swatch(system),
      nameOf(system),
    );
    button.addEventListener('click', (event) =>
      event.shiftKey ? choice.single(system, systems) : choice.toggle(system),
    );
    button.addEventListener('dblclick', () => choice.single(system, systems));
    return button;
  });
  const group = el('div', { class: 'systems', role: 'group', 'aria-label': 'Systems shown' }, ...buttons);
  const update = () =>
    systems.forEach((system, i) => buttons[i].setAttribute('aria-pressed', String(choice.shows(system))));
  update();
  choice.listen(group, update);
  return group;
}
