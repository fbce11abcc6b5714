import dagre, { type graphlib } from "@dagrejs/dagre";
import type { Plan, Way } from "./plan";

export const BOX = { width: 256, height: 92 };

/** Half the height in which a line runs straight down: past a rank of boxes, or behind its label. */
const STRAIGHT = { box: BOX.height / 2 + 4, label: 11 };

export type Point = { x: number; y: number };
export type Bend = Point & { half: number };
export type Side = "middle" | "left" | "right";
export type Placed = {
  corners: Map<string, Point>;
  bends: Map<Way, Bend[]>;
  labels: Map<Way, Point>;
  sides: Map<Way, Side>;
};

/** Place the boxes in ranks from top to bottom, and give every way the points it bends at. */
export function layOut(plan: Plan): Placed {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 56, edgesep: 28, ranksep: 68 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const step of plan.steps) graph.setNode(step.id, { ...BOX });
  plan.ways.forEach((way, index) => {
    const width = way.label ? 12 + way.label.length * 7 : 0;
    const label = { width, height: way.label ? 22 : 0, labelpos: "c" };
    graph.setEdge(way.from, way.to, label, String(index));
  });
  dagre.layout(graph);
  return readPlaces(plan, graph);
}

function readPlaces(plan: Plan, graph: graphlib.Graph): Placed {
  const placed: Placed = {
    corners: new Map(),
    bends: new Map(),
    labels: new Map(),
    sides: new Map(),
  };
  const ranks = new Set(plan.steps.map((step) => Math.round(graph.node(step.id).y)));
  for (const step of plan.steps) {
    const { x, y } = graph.node(step.id);
    placed.corners.set(step.id, { x: x - BOX.width / 2, y: y - BOX.height / 2 });
  }
  plan.ways.forEach((way, index) => {
    const edge = graph.edge({ v: way.from, w: way.to, name: String(index) });
    const inner = edge.points.slice(1, -1).map(({ x, y }: Point) => {
      const half = ranks.has(Math.round(y)) ? STRAIGHT.box : STRAIGHT.label;
      return { x, y, half };
    });
    placed.bends.set(way, inner);
    placed.labels.set(way, inner[0] ?? { x: edge.x ?? 0, y: edge.y ?? 0 });
  });
  chooseSides(plan, placed);
  return placed;
}

/** A branch's two ways leave at the side to which they lead, so that they never cross at the box. */
function chooseSides(plan: Plan, placed: Placed): void {
  for (const step of plan.steps) {
    const out = plan.ways.filter((way) => way.from === step.id);
    const across = (way: Way) => placed.bends.get(way)?.[0]?.x ?? 0;
    const [first, second] = out.sort((one, other) => across(one) - across(other));
    if (first) placed.sides.set(first, second ? "left" : "middle");
    if (second) placed.sides.set(second, "right");
  }
}
