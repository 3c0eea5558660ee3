// What a chart is told. A mark is a line, a cloud of points or a row of stems that belongs to one system.
import type { Kind } from '../format';
import type { Shape } from '../palette';

export interface Mark {
  // The system whose button in the legend hides it; empty for what is always shown.
  system: string;
  label: string;
  x: number[];
  y: number[];
  form: 'line' | 'points' | 'both' | 'stems' | 'steps';
  // Variable of the style sheet; without it the system's own.
  colour?: string;
  dash?: number[];
  width?: number;
  shape?: Shape;
  size?: number;
  // Written beside the end of a line, or beside each point.
  endLabel?: string;
  pointLabels?: string[];
  // What hovering over a point says of it.
  details?: string[];
  // Not told at the cursor.
  quiet?: boolean;
  opacity?: number;
}

export interface Axis {
  title: string;
  kind: Kind;
  log: boolean;
  // Limits that hold whatever the data are.
  min?: number;
  max?: number;
}

export interface Shade {
  from: number;
  to: number;
  label: string;
}

export interface ChartSpec {
  // What it is, for those who cannot see it.
  summary: string;
  x: Axis;
  y: Axis;
  marks: Mark[];
  shades?: Shade[];
  height?: number;
  // Hovering compares all lines at one x, or names the nearest point.
  hover: 'x' | 'point';
  // Charts of one group share cursor and zoom along x.
  group?: string;
}
