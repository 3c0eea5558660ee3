// Makes the template of the page: checks the types, bundles script, style and fonts, and puts them into src/page.html.
//
//   node build.mjs OUTPUT       in a folder where `npm ci` has run
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const bundled = new Set();

async function bundle(entry) {
  const result = await build({
    entryPoints: [join(here, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    legalComments: 'none',
    loader: { '.woff2': 'dataurl' },
    charset: 'utf8',
    logLevel: 'warning',
    metafile: true,
  });
  for (const input of Object.keys(result.metafile.inputs)) {
    const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
    if (name) bundled.add(name);
  }
  return result.outputFiles[0].text.trim();
}

// Of every package of which something is in the page: of those that were bundled so far.
function licences() {
  return [...bundled]
    .sort()
    .map((name) => {
      const folder = dirname(require.resolve(`${name}/package.json`));
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`;
    })
    .join('\n\n');
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const output = process.argv[2];
try {
  execFileSync(
    process.execPath,
    [join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc'), '--project', here],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const parts = {
    style: await bundle('src/style.css'),
    // A closing tag inside the script would end it.
    script: (await bundle('src/main.ts')).replaceAll('</script', '<\\/script'),
    licences: escaped(licences()),
  };
  const page = readFileSync(join(here, 'src/page.html'), 'utf8');
  writeFileSync(
    output,
    page.replace(/\{\{(style|script|licences)\}\}/g, (_, name) => parts[name]),
  );
} catch (error) {
  console.error(`tools/report/build.mjs: ${error.message.split('\n')[0]}`);
  process.exit(1);
}
