import type { Bend, Point } from "./layout";

/**
 * The drawn line of a way. It sways only in the gaps between ranks and runs straight down beside the
 * boxes of each rank that it passes, so that it can never run behind one.
 */
export function route(start: Point, bends: Bend[], end: Point): string {
  const stops = bends.flatMap(({ x, y, half }) => [
    { x, y: y - half },
    { x, y: y + half },
  ]);
  const all = [start, ...stops, end];
  return all.map((stop, index) => stretch(all[index - 1], stop)).join(" ");
}

function stretch(from: Point | undefined, to: Point): string {
  if (!from) return `M ${to.x} ${to.y}`;
  if (Math.abs(from.x - to.x) < 0.5) return `L ${to.x} ${to.y}`;
  const middle = (from.y + to.y) / 2;
  return `C ${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
}
