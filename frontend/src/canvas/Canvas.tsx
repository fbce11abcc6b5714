import {
  Background,
  Controls,
  type Edge,
  type EdgeTypes,
  MarkerType,
  type NodeChange,
  type NodeTypes,
  ReactFlow,
  type ReactFlowInstance,
} from "@xyflow/react";
import { useMemo, useState } from "react";
import { type Frame, frameOf, isFrame, WHOLE } from "./frame";
import { BOX, layOut, type Placed } from "./layout";
import type { Mode, Plan, Step, Walked } from "./plan";
import { type Mark, StepBox, type StepNode } from "./StepBox";
import { useShown } from "./useShown";
import { WayLine, type WayEdge } from "./WayLine";

const nodeTypes: NodeTypes = { step: StepBox };
const edgeTypes: EdgeTypes = { way: WayLine };
const words = {
  "node.a11yDescription.default": "Press Enter to show the step.",
  "node.a11yDescription.keyboardDisabled": "Press Enter to show the step.",
};
/** Its size does not grow with the breadth of the line. */
const ARROW = { markerUnits: "userSpaceOnUse", width: 18, height: 18 };
/** The height of a box that has no figures. */
const BARE = 80;
/** Below this, what stands in a box cannot be read: then the top is shown, and one pans. */
const READABLE = 0.55;

export function Canvas({ plan: given }: { plan: Plan }) {
  const { plan, mode, show, lost } = useShown(given);
  const bare = given.steps.every((step) => step.figures.length === 0);
  const placed = useMemo(() => layOut(given, bare ? BARE : BOX.height), [given, bare]);
  const [chosen, choose] = useState("");
  const height = bare ? BARE : BOX.height;
  const nodes = useMemo(
    () => boxes(plan, placed, given.walked).map((one) => ({ ...one, width: BOX.width, height, selected: one.id === chosen })),
    [plan, placed, given.walked, chosen, height],
  );
  const edges = useMemo(() => lines(plan, given, placed), [plan, given, placed]);
  const frame = useMemo(
    () => frameOf(given.ways.map((way) => ({ bends: placed.bends.get(way) ?? [], at: placed.labels.get(way) ?? { x: 0, y: 0 }, label: way.label }))),
    [given, placed],
  );
  const pick = (changes: NodeChange<StepNode | Frame>[]) => {
    for (const one of changes) if (one.type === "select") choose((now) => (one.selected ? one.id : now === one.id ? "" : now));
  };
  const detail = plan.steps.find((step) => step.id === chosen);
  return (
    <>
      {given.modes && <Modes modes={given.modes} mode={mode} show={show} lost={lost} />}
      <div className="canvas" data-bare={bare || undefined} role="group" aria-label="Workflow, drawn. The same stands in the table below.">
        <ReactFlow<StepNode | Frame, Edge>
          nodes={[...nodes, ...frame]}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onInit={begin}
          minZoom={0.1}
          maxZoom={1.5}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          deleteKeyCode={null}
          zoomOnScroll={false}
          preventScrolling={false}
          onlyRenderVisibleElements={nodes.length > 60}
          ariaLabelConfig={words}
          onNodesChange={pick}
          multiSelectionKeyCode={null}
          selectionKeyCode={null}
        >
          <Background gap={20} />
          <Controls showInteractive={false} fitViewOptions={WHOLE} />
        </ReactFlow>
        {detail && <Detail step={detail} />}
      </div>
    </>
  );
}

/** Show all of it, or the beginning where all of it would be too small to read. */
function begin(flow: ReactFlowInstance<StepNode | Frame, Edge>) {
  void flow.fitView(WHOLE).then(() => {
    if (flow.getZoom() >= READABLE) return;
    const steps = flow.getNodes().filter((node) => !isFrame(node));
    const first = steps.reduce((one, other) => (other.position.y < one.position.y ? other : one));
    const width = document.querySelector(".canvas .react-flow")?.clientWidth ?? 320;
    const zoom = Math.max(READABLE, 0.8);
    const x = width / 2 - (first.position.x + 128) * zoom;
    void flow.setViewport({ x, y: 16 - first.position.y * zoom, zoom });
  });
}

function Modes({ modes, mode, show, lost }: { modes: Mode[]; mode: string; show: (key: string) => void; lost: boolean }) {
  return (
    <fieldset className="canvas-modes">
      <legend>Shows</legend>
      {modes.map((one) => (
        <label key={one.key}>
          <input type="radio" name="canvas-mode" value={one.key} checked={mode === one.key} onChange={() => show(one.key)} />
          {one.label}
        </label>
      ))}
      {lost && <span className="muted" role="status">The server cannot be reached; the counts are older.</span>}
    </fieldset>
  );
}

function Detail({ step }: { step: Step }) {
  return (
    <aside className="canvas-detail" aria-live="polite">
      <h3>{step.title}</h3>
      {step.detail && <p className="muted">{step.detail}</p>}
      <dl>
        {step.figures.map((figure) => (
          <div key={figure.label}>
            <dt>{figure.label}</dt>
            <dd>{figure.value}</dd>
          </div>
        ))}
      </dl>
      {step.href && <a href={step.href}>Who waits here</a>}
    </aside>
  );
}

function spoken(step: Step, mark: Mark): string {
  const figures = step.figures.map((figure) => `${figure.value} ${figure.label}`).join(", ");
  const said = { "": "", walked: "on the way", here: "the person is here", beside: "not on the way" }[mark];
  return [step.kind.replace("_", " "), step.title, figures, said].filter(Boolean).join(". ");
}

function boxes(plan: Plan, placed: Placed, walked: Walked | undefined): StepNode[] {
  const found = plan.steps.map((step): StepNode => {
    const outs = placed.outs.get(step.id) ?? [];
    const position = placed.corners.get(step.id) ?? { x: 0, y: 0 };
    const mark = markOf(step.id, walked);
    return { id: step.id, type: "step", position, data: { step, outs, mark }, ariaLabel: spoken(step, mark) };
  });
  return found.sort((one, other) => one.position.y - other.position.y || one.position.x - other.position.x);
}

function markOf(id: string, walked: Walked | undefined): Mark {
  if (!walked) return "";
  if (walked.here === id) return "here";
  return walked.steps.includes(id) ? "walked" : "beside";
}

/** The places were worked out for the plan as it was given; another look brings other labels only. */
function lines(plan: Plan, given: Plan, placed: Placed): WayEdge[] {
  return plan.ways.flatMap((way, index): WayEdge[] => {
    const drawn = given.ways[index];
    if (!drawn) return [];
    const { walked } = given;
    const on = walked?.ways.some(([from, branch]) => from === way.from && branch === way.branch);
    return [{
      id: String(index),
      type: "way",
      source: way.from,
      target: way.to,
      sourceHandle: way.branch,
      targetHandle: "in",
      zIndex: on ? 1 : 0,
      markerEnd: { type: MarkerType.ArrowClosed, ...ARROW, color: on ? "var(--canvas-accent)" : "var(--canvas-line)" },
      data: {
        way,
        bends: placed.bends.get(drawn) ?? [],
        label: placed.labels.get(drawn) ?? { x: 0, y: 0 },
        mark: !walked ? "" : on ? "walked" : "beside",
      },
    }];
  });
}
