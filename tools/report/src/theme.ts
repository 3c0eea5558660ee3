// Light or dark: as the system says until the reader says otherwise, which holds for this page only.
import { el } from './dom';
import type { Choice } from './state';

const dark = matchMedia('(prefers-color-scheme: dark)');

function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : dark.matches;
}

export function themeButton(choice: Choice): HTMLElement {
  const button = el('button', { type: 'button', class: 'theme' });
  const name = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
  };
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    name();
    choice.tell();
  });
  dark.addEventListener('change', () => {
    name();
    choice.tell();
  });
  name();
  return button;
}
