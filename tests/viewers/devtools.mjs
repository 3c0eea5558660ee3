// The DevTools that are part of every Chromium: a page in which one of their modules is `globalThis.devtools`.

// These are no public interfaces. A Chromium in which one of `names` is gone ends the test as skipped, saying so.
export async function openedDevtools(browser, module, ...names) {
  const page = await browser.newPage();
  const address = `devtools://devtools/bundled/${module}`;
  await page.goto(address);
  const missing = await page.evaluate(
    async ([from, wanted]) => {
      globalThis.devtools = await import(from).catch(() => ({}));
      return wanted.find((name) => !name.split('.').reduce((at, step) => at?.[step], globalThis.devtools));
    },
    [address, names],
  );
  if (missing) {
    console.log(`skipped: the DevTools of Chromium ${browser.version()} have no ${missing} in ${module}`);
    await browser.close();
    process.exit(77);
  }
  return page;
}
