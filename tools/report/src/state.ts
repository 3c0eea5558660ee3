// What the reader has chosen, for the whole page: which systems are hidden, and light or dark. Charts and tables ask to
// be told.

// Told as long as the element it belongs to is in the page.
interface Listener {
  element: HTMLElement;
  listen: () => void;
}

export class Choice {
  private hidden = new Set<string>();
  private listeners: Listener[] = [];

  shows(system: string): boolean {
    return !this.hidden.has(system);
  }

  toggle(system: string): void {
    if (!this.hidden.delete(system)) this.hidden.add(system);
    this.tell();
  }

  // Shows one system alone, or all of them when it is alone already.
  single(system: string, all: string[]): void {
    const alone = all.every((each) => this.shows(each) === (each === system));
    this.hidden = new Set(alone ? [] : all.filter((each) => each !== system));
    this.tell();
  }

  listen(element: HTMLElement, listen: () => void): void {
    this.listeners.push({ element, listen });
  }

  tell(): void {
    this.listeners = this.listeners.filter(({ element }) => element.isConnected);
    for (const { listen } of this.listeners) listen();
  }
}
