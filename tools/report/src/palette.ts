// One colour, dash and marker per system, the same in every chart. The colours are variables of the style sheet, in a
// light and a dark version; no two that meet in a chart are told apart by colour alone, as the lines are labelled and
// the markers differ in shape.

export type Shape = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross';

export interface Look {
  colour: string;
  dash: number[];
  shape: Shape;
}

const solid: number[] = [];
const dashed = [7, 3];
const dotted = [2, 3];

const known = new Map<string, Look>(
  Object.entries<Look>({
    umber: { colour: '--umber', dash: solid, shape: 'circle' },
    go: { colour: '--sky', dash: solid, shape: 'triangle' },
    g1: { colour: '--blue', dash: solid, shape: 'square' },
    zgc: { colour: '--green', dash: solid, shape: 'diamond' },
    shenandoah: { colour: '--pink', dash: solid, shape: 'triangle' },
    parallel: { colour: '--ochre', dash: dashed, shape: 'square' },
    boehm: { colour: '--grey', dash: solid, shape: 'diamond' },
    glibc: { colour: '--grey', dash: solid, shape: 'square' },
    mimalloc: { colour: '--violet', dash: solid, shape: 'square' },
    jemalloc: { colour: '--green', dash: solid, shape: 'diamond' },
    tcmalloc: { colour: '--sky', dash: solid, shape: 'triangle' },
    malloc: { colour: '--violet', dash: dashed, shape: 'square' },
    redis: { colour: '--ink', dash: solid, shape: 'cross' },
    stop_the_world: { colour: '--grey', dash: solid, shape: 'square' },
    insertion: { colour: '--ochre', dash: solid, shape: 'triangle' },
    deletion: { colour: '--blue', dash: solid, shape: 'diamond' },
    hybrid: { colour: '--umber', dash: solid, shape: 'circle' },
  }),
);

const colours = ['--blue', '--green', '--pink', '--ochre', '--violet', '--sky', '--grey'];
const shapes: Shape[] = ['square', 'diamond', 'triangle', 'cross', 'circle'];
const dashes = [dashed, dotted, solid];

// `umber:insertion` looks like insertion; `malloc:glibc` has the colour of glibc, but dotted: among collectors the programs
// that free by hand stand apart. What is not known gets the next combination, in the order in which they are asked for.
export function look(system: string): Look {
  const own = known.get(system);
  if (own) return own;
  const named = known.get(lastWord(system)) ?? another();
  const found: Look = system.startsWith('malloc:') ? { colour: named.colour, dash: dotted, shape: 'square' } : named;
  known.set(system, found);
  return found;
}

function lastWord(system: string): string {
  return system.slice(system.indexOf(':') + 1);
}

function another(): Look {
  const next = known.size;
  return {
    colour: colours[next % colours.length],
    dash: dashes[next % dashes.length],
    shape: shapes[next % shapes.length],
  };
}
