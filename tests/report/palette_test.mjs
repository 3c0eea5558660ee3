// The colours of the page are told apart with any common colour vision, and stand out from the paper.
//
//   palette_test.mjs PAGE.css
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const names = ['umber', 'sky', 'blue', 'green', 'pink', 'ochre', 'violet', 'grey'];
// How the cones that are missing change linear red, green and blue: Machado, Oliveira and Fernandes 2009, severity 1.
const visions = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(hex) {
  return [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
}

function times(matrix, vector) {
  return matrix.map((row) => row.reduce((sum, each, i) => sum + each * vector[i], 0));
}

// Björn Ottosson's Oklab, in which equal distances look about equally large.
function oklab(rgb) {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  ).map((each) => Math.cbrt(Math.max(0, each)));
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

function luminance(hex) {
  return times([[0.2126, 0.7152, 0.0722]], linear(hex))[0];
}

function colours(block) {
  return Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map(([, name, hex]) => [name, hex]));
}

const style = readFileSync(process.argv[2], 'utf8');
const themes = {
  light: colours(/:root \{[^}]*\}/.exec(style)[0]),
  dark: colours(/:root\[data-theme='dark'\] \{[^}]*\}/.exec(style)[0]),
};

test('dark is the same by the system and by the button', () => {
  const [bySystem, byButton] = [
    /:root:not\(\[data-theme='light'\]\) \{[^}]*\}/,
    /:root\[data-theme='dark'\] \{[^}]*\}/,
  ].map((block) => colours(block.exec(style)[0]));
  assert.deepEqual(bySystem, byButton);
});

function closest(theme) {
  const found = [];
  for (const [vision, matrix] of Object.entries(visions)) {
    const seen = names.map((name) => oklab(times(matrix, linear(theme[name]))));
    seen.forEach((a, i) =>
      seen
        .slice(i + 1)
        .forEach((b, k) =>
          found.push({
            vision,
            pair: `${names[i]} ${names[i + 1 + k]}`,
            distance: Math.hypot(...a.map((each, j) => each - b[j])),
          }),
        ),
    );
  }
  return found.sort((a, b) => a.distance - b.distance);
}

for (const [name, theme] of Object.entries(themes)) {
  test(`the ${name} colours differ for every kind of colour vision`, () => {
    const [first] = closest(theme);
    if (process.env.SHOW) console.log(closest(theme).slice(0, 8));
    assert.ok(first.distance > 0.05, `${first.pair}, ${first.vision}: ${first.distance.toFixed(3)}`);
    const [planted] = closest({ ...theme, green: theme.blue });
    assert.ok(planted.distance < 0.05, 'two equal colours would be seen');
  });
  test(`the ${name} colours stand out from the paper`, () => {
    for (const each of [...names, 'muted', 'ink']) {
      const [a, b] = [luminance(theme[each]), luminance(theme.paper)].sort((x, y) => y - x);
      const least = each === 'muted' || each === 'ink' ? 4.5 : 3;
      assert.ok((a + 0.05) / (b + 0.05) >= least, `${each}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
    }
  });
}
