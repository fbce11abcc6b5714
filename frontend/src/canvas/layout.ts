import dagre, { type graphlib } from "@dagrejs/dagre";
import type { Plan, Way } from "./plan";

export const BOX = { width: 256, height: 112 };

/** Half the height in which a line runs straight down behind its label. */
const STRAIGHT = 11;

const NEAR = 12;

export type Point = { x: number; y: number };
export type Bend = Point & { half: number };
/** Where a way leaves its box, in per cent of the width. */
export type Out = { key: string; place: number };
export type Placed = {
  corners: Map<string, Point>;
  bends: Map<Way, Bend[]>;
  labels: Map<Way, Point>;
  outs: Map<string, Out[]>;
};

/** What was placed last: words change oftener than steps, and 200 steps take a fifth of a second. */
let kept: { key: string; plan: Plan; placed: Placed } | undefined;

export function layOut(plan: Plan, height = BOX.height): Placed {
  const key = JSON.stringify([height, plan.steps.map((step) => step.id), plan.ways.map((way) => [way.from, way.to, way.branch, way.label])]);
  if (kept?.key === key) return moved(kept.placed, kept.plan, plan);
  kept = { key, plan, placed: placeAll(plan, height) };
  return kept.placed;
}

/** The same places for the same ways of another plan. */
function moved(placed: Placed, before: Plan, after: Plan): Placed {
  const of = <T>(found: Map<Way, T>) =>
    new Map(before.ways.flatMap((way, index): [Way, T][] => {
      const [now, value] = [after.ways[index], found.get(way)];
      return now && value !== undefined ? [[now, value]] : [];
    }));
  return { ...placed, bends: of(placed.bends), labels: of(placed.labels) };
}

/** Place the boxes in ranks from top to bottom, and give every way the points it bends at. */
function placeAll(plan: Plan, height: number): Placed {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 56, edgesep: 28, ranksep: 54 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const step of plan.steps) graph.setNode(step.id, { width: BOX.width, height });
  plan.ways.forEach((way, index) => {
    const width = way.label ? 12 + way.label.length * 7 : 0;
    const label = { width, height: way.label ? 22 : 0, labelpos: "c" };
    graph.setEdge(way.from, way.to, label, String(index));
  });
  dagre.layout(graph);
  return readPlaces(plan, graph, height);
}

function readPlaces(plan: Plan, graph: graphlib.Graph, height: number): Placed {
  const placed: Placed = {
    corners: new Map(),
    bends: new Map(),
    labels: new Map(),
    outs: new Map(),
  };
  straighten(plan, graph);
  const ranks = new Set(plan.steps.map((step) => Math.round(graph.node(step.id).y)));
  for (const step of plan.steps) {
    const { x, y } = graph.node(step.id);
    placed.corners.set(step.id, { x: x - BOX.width / 2, y: y - height / 2 });
  }
  plan.ways.forEach((way, index) => {
    const edge = graph.edge({ v: way.from, w: way.to, name: String(index) });
    const ends = [graph.node(way.from).x, graph.node(way.to).x];
    const inner = edge.points.slice(1, -1).map(({ x, y }: Point) => {
      const half = ranks.has(Math.round(y)) ? height / 2 + 4 : STRAIGHT;
      // A line that runs all but straight into a box's middle runs straight.
      return { x: ends.find((end) => Math.abs(end - x) < NEAR) ?? x, y, half };
    });
    placed.bends.set(way, inner);
    placed.labels.set(way, inner[0] ?? { x: edge.x ?? 0, y: edge.y ?? 0 });
  });
  chooseSides(plan, placed);
  return placed;
}

/** A box all but under the one that alone leads to it stands right under it. */
function straighten(plan: Plan, graph: graphlib.Graph): void {
  const downwards = [...plan.ways].sort((one, other) => graph.node(one.from).y - graph.node(other.from).y);
  for (const way of downwards) {
    const alone = plan.ways.filter((other) => other.to === way.to).length === 1;
    const [above, below] = [graph.node(way.from), graph.node(way.to)];
    if (alone && Math.abs(above.x - below.x) < NEAR) below.x = above.x;
  }
}

/** The ways leave a box from left to right as they lead, so that they never cross at it. */
function chooseSides(plan: Plan, placed: Placed): void {
  const across = (way: Way) => placed.bends.get(way)?.[0]?.x ?? placed.corners.get(way.to)?.x ?? 0;
  for (const step of plan.steps) {
    const ways = plan.ways.filter((way) => way.from === step.id).sort((one, other) => across(one) - across(other));
    const outs = ways.map((way, index) => ({ key: way.branch, place: (100 * (index + 1)) / (ways.length + 1) }));
    placed.outs.set(step.id, outs);
  }
}
