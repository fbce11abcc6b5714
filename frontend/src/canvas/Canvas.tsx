import {
  Background,
  Controls,
  MarkerType,
  ReactFlow,
  type NodeTypes,
  type EdgeTypes,
} from "@xyflow/react";
import { useMemo, useState } from "react";
import { layOut } from "./layout";
import type { Plan, Step } from "./plan";
import { StepBox, type StepNode } from "./StepBox";
import { WayLine, type WayEdge } from "./WayLine";

const nodeTypes: NodeTypes = { step: StepBox };
const edgeTypes: EdgeTypes = { way: WayLine };
const words = {
  "node.a11yDescription.default": "Press Enter to show the step.",
  "node.a11yDescription.keyboardDisabled": "Press Enter to show the step.",
};

export function Canvas({ plan }: { plan: Plan }) {
  const { nodes, edges } = useMemo(() => draw(plan), [plan]);
  const [chosen, choose] = useState<Step>();
  return (
    <>
      <ReactFlow
        defaultNodes={nodes}
        defaultEdges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.08 }}
        minZoom={0.2}
        maxZoom={1.5}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        zoomOnScroll={false}
        preventScrolling={false}
        ariaLabelConfig={words}
        onSelectionChange={({ nodes }) => choose((nodes[0] as StepNode | undefined)?.data.step)}
      >
        <Background gap={20} />
        <Controls showInteractive={false} />
      </ReactFlow>
      {chosen && <Detail step={chosen} />}
    </>
  );
}

function Detail({ step }: { step: Step }) {
  return (
    <aside className="canvas-detail" aria-live="polite">
      <h3>{step.title}</h3>
      {step.detail && <p>{step.detail}</p>}
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

function spoken(step: Step): string {
  const figures = step.figures.map((figure) => `${figure.value} ${figure.label}`).join(", ");
  return [step.kind.replace("_", " "), step.title, figures].filter(Boolean).join(". ");
}

function draw(plan: Plan): { nodes: StepNode[]; edges: WayEdge[] } {
  const placed = layOut(plan);
  const nodes = plan.steps.map((step): StepNode => {
    const out = plan.ways.filter((way) => way.from === step.id);
    const outs = out.map((way) => placed.sides.get(way) ?? "middle");
    const position = placed.corners.get(step.id) ?? { x: 0, y: 0 };
    return { id: step.id, type: "step", position, data: { step, outs }, ariaLabel: spoken(step) };
  });
  nodes.sort((one, other) => one.position.y - other.position.y || one.position.x - other.position.x);
  const edges = plan.ways.map((way, index): WayEdge => ({
    id: String(index),
    type: "way",
    source: way.from,
    target: way.to,
    sourceHandle: placed.sides.get(way) ?? "middle",
    targetHandle: "in",
    markerEnd: { type: MarkerType.ArrowClosed, color: "var(--canvas-line)" },
    data: {
      way,
      bends: placed.bends.get(way) ?? [],
      label: placed.labels.get(way) ?? { x: 0, y: 0 },
    },
  }));
  return { nodes, edges };
}
