// From a draft to boxes and lines. Places come from the same layout as the drawing of what is live.

import { type Edge, MarkerType, type Node } from "@xyflow/react";
import { type Bend, BOX, layOut, type Point } from "../canvas/layout";
import type { Plan, Way } from "../canvas/plan";
import { type Draft, ENTRY, formOf, type Forms, isShown, type Problem, type StepJson } from "./forms";
import { stepOf, waysOf } from "./draft";
import { entryTitle, titleOf } from "./words";

/** `spare`: an optional way that leads nowhere; its dot shows on the chosen box and under the mouse. */
export type Out = { key: string; label: string; place: number; open: boolean; spare?: boolean };
export type BoxData = { kind: string; title: string; name: string; problems: string[]; outs: Out[]; entry: boolean; marked?: boolean };
export type Box = Node<BoxData, "box">;
export type LineData = { from: string; way: string; label: string; bends: Bend[]; at: Point; words: string };
export type Line = Edge<LineData, "line">;
export type Places = ReadonlyMap<string, Point>;

/** The height of a box of a draft: it has no figures. */
const HIGH = 96;

export function draw(forms: Forms, draft: Draft, problems: Problem[], moved: Places): { boxes: Box[]; lines: Line[] } {
  const plan = planOf(forms, draft);
  const placed = layOut(plan, HIGH);
  const placeOf = (id: string) => moved.get(id) ?? placed.corners.get(id) ?? { x: 0, y: 0 };
  const across = (way: Way) => placed.bends.get(way)?.[0]?.x ?? placeOf(way.to).x;
  const boxes = plan.steps.map((step): Box => {
    const entry = step.id === ENTRY;
    const found = problems.filter((one) => (entry ? one.node === "" : one.node === step.id));
    const outs = outsOf(forms, draft, step.id, plan.ways.filter((way) => way.from === step.id), across);
    const data = { kind: step.kind, title: step.title, name: entry ? "" : step.id, problems: found.map((one) => one.message), outs, entry };
    return { id: step.id, type: "box", position: placeOf(step.id), data, ariaLabel: spoken(data), deletable: false };
  });
  boxes.sort((one, other) => one.position.y - other.position.y || one.position.x - other.position.x);
  const lines = plan.ways.map((way): Line => {
    const free = moved.has(way.from) || moved.has(way.to);
    const bends = free ? [] : (placed.bends.get(way) ?? []);
    const at = free ? middle(placeOf(way.from), placeOf(way.to)) : (placed.labels.get(way) ?? { x: 0, y: 0 });
    const words = `${titleAt(plan, way.from)}${way.label ? `, ${way.label}` : ""}`;
    return {
      id: `${way.from} ${way.branch}`,
      type: "line",
      source: way.from,
      sourceHandle: way.branch,
      target: way.to,
      targetHandle: "in",
      markerEnd: { type: MarkerType.ArrowClosed, color: "var(--canvas-line)" },
      data: { from: way.from, way: way.branch, label: way.label, bends, at, words },
    };
  });
  return { boxes, lines };
}

function middle(from: Point, to: Point): Point {
  return { x: (from.x + to.x + BOX.width) / 2, y: (from.y + to.y + HIGH) / 2 };
}

function titleAt(plan: Plan, id: string): string {
  return plan.steps.find((step) => step.id === id)?.title ?? id;
}

function spoken(data: BoxData): string {
  const wrong = data.problems.length ? `${data.problems.length} to mend: ${data.problems.join("; ")}` : "";
  return [data.entry ? "Start" : data.kind.replace("_", " "), data.title, wrong].filter(Boolean).join(". ");
}

function planOf(forms: Forms, draft: Draft): Plan {
  const steps = draft.nodes.map((step) => ({
    id: step.id,
    kind: step.kind,
    title: titleOf(forms, step),
    detail: "",
    figures: [],
  }));
  const entry = { id: ENTRY, kind: "trigger", title: entryTitle(forms, draft), detail: "", figures: [] };
  const first = stepOf(draft, draft.start) ? [{ from: ENTRY, to: draft.start, branch: "start", label: "" }] : [];
  const ways = draft.nodes.flatMap((step) => {
    const drawn = waysOf(forms, step).filter((way) => stepOf(draft, way.to));
    const told = drawn.length > 1 || drawn[0]?.key !== formOf(forms, step).ways[0]?.key || isFork(forms, step);
    return drawn.map((way) => ({ from: step.id, to: way.to, branch: way.key, label: told ? way.label : "" }));
  });
  return { steps: [entry, ...steps], ways: [...first, ...ways] };
}

/** Whether each of its ways must lead somewhere: then even one alone says which it is. */
function isFork(forms: Forms, step: StepJson): boolean {
  return formOf(forms, step).ways.filter((way) => !way.optional).length > 1;
}

/** Where each way leaves its box, from left to right as its line goes, those without a line last. */
function outsOf(forms: Forms, draft: Draft, id: string, drawn: Way[], across: (way: Way) => number): Out[] {
  if (id === ENTRY) return [{ key: "start", label: "first", place: 50, open: drawn.length === 0 }];
  const step = stepOf(draft, id);
  const form = step ? formOf(forms, step).ways.filter((way) => isShown(way, step)) : [];
  const lineOf = (key: string) => drawn.find((way) => way.branch === key);
  const seen = form.filter((way) => !way.optional || lineOf(way.key) || form.length === 1);
  const sorted = [...seen].sort((one, other) => {
    const [left, right] = [lineOf(one.key), lineOf(other.key)];
    if (left && right) return across(left) - across(right);
    return left ? -1 : right ? 1 : 0;
  });
  const outs = sorted.map((way, index) => ({
    key: way.key,
    label: way.label,
    place: (100 * (index + 1)) / (sorted.length + 1),
    open: !lineOf(way.key),
  }));
  const spare = form.filter((way) => !seen.includes(way));
  return [...outs, ...spare.map(({ key, label }, index) => ({ key, label, place: 94 - 6 * index, open: false, spare: true }))];
}
