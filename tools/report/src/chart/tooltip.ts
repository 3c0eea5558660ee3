// The values at the cursor: a small panel and a dot on each line. What it shows is also said, for those who listen.
import { el, property } from '../dom';
import { format } from '../format';
import { colour } from './paint';
import type { Hit } from './nearest';
import type { ChartSpec } from './spec';

export class Tooltip {
  private panel = el('div', { class: 'tooltip', hidden: '' });
  private dots = el('div', { class: 'dots', 'aria-hidden': 'true' });
  private voice = el('p', { class: 'unseen', 'aria-live': 'polite' });

  constructor(
    private spec: ChartSpec,
    private over: HTMLElement,
    figure: HTMLElement,
  ) {
    over.append(this.dots, this.panel);
    figure.append(this.voice);
  }

  show(hits: Hit[], aloud: boolean): void {
    this.dots.replaceChildren(
      ...hits.map((hit) => {
        const dot = el('i');
        dot.style.cssText = `left:${hit.left}px;top:${hit.top}px;background:${colour(hit.mark)}`;
        return dot;
      }),
    );
    this.panel.hidden = hits.length === 0;
    if (hits.length === 0) return;
    this.panel.replaceChildren(...this.lines(hits));
    const right = hits[0].left + this.panel.offsetWidth + 24 > this.over.clientWidth;
    this.panel.style.left = `${right ? Math.max(-40, hits[0].left - this.panel.offsetWidth - 14) : hits[0].left + 14}px`;
    const lowest = this.over.clientHeight - this.panel.offsetHeight;
    this.panel.style.top = `${Math.max(-20, Math.min(lowest, hits[0].top - this.panel.offsetHeight / 2))}px`;
    if (aloud) this.voice.textContent = this.panel.innerText.replace(/\n+/g, ', ');
  }

  private lines(hits: Hit[]): HTMLElement[] {
    const { x, y } = this.spec;
    const first = hits[0];
    const detail = first.mark.details?.[first.index];
    if (this.spec.hover === 'point' && detail !== undefined) {
      return [el('b', {}, first.mark.label), ...detail.split('\n').map((line) => el('div', {}, line))];
    }
    const rows = hits.map((hit) => {
      const key = el('i', { class: 'key' });
      key.style.background = colour(hit.mark);
      return el('tr', {}, el('td', {}, key, hit.mark.label), el('td', {}, format(hit.mark.y[hit.index], y.kind)));
    });
    return [el('b', {}, format(first.mark.x[first.index], x.kind)), el('table', { role: 'presentation' }, ...rows)];
  }
}

export function cursorColour(): string {
  return property('--line-strong');
}
