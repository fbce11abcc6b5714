import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import type { Out } from "./layout";
import type { Bar, Step } from "./plan";

/** How a box stands to the path that is shown: on it, at its end, beside it, or there is none. */
export type Mark = "" | "walked" | "here" | "beside";
/** So many figures have room in a box; the others are in its detail and in the table. */
const ROOM = 3;

export type StepNode = Node<{ step: Step; outs: Out[]; mark: Mark }, "step">;

export function StepBox({ data, selected }: NodeProps<StepNode>) {
  const { step, outs, mark } = data;
  return (
    <div className={`canvas-step canvas-step-${step.kind}`} data-selected={selected || undefined} data-mark={mark || undefined}>
      <Handle type="target" id="in" position={Position.Top} isConnectable={false} />
      <p className="canvas-kind">{step.kind.replace("_", " ")}{mark === "here" && <span className="canvas-here">is here</span>}</p>
      <p className="canvas-title" title={step.title}>{step.title}</p>
      <dl className="canvas-figures">
        {step.figures.slice(0, ROOM).map((figure) => (
          <div key={figure.label} data-what={figure.label}>
            <dd>{short(figure.value)}</dd>
            <dt>{figure.label}</dt>
          </div>
        ))}
      </dl>
      {step.bar && <DropOff bar={step.bar} />}
      {outs.map(({ key, place }) => (
        <Handle
          key={key}
          type="source"
          id={key}
          position={Position.Bottom}
          style={{ left: `${place}%` }}
          isConnectable={false}
        />
      ))}
    </div>
  );
}

/** A box is narrow: “about 410” stands in it as “~410”; the table twin has the words. */
function short(value: string | number): string | number {
  return typeof value === "string" ? value.replace(/^about /, "~") : value;
}

/** A strip at the foot of the box: who left here, who is here, and the rest, who went on. */
function DropOff({ bar }: { bar: Bar }) {
  return (
    <svg className="canvas-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect className="canvas-bar-on" width="100" height="4" />
      <rect className="canvas-bar-left" x={100 - bar.left} width={bar.left} height="4" />
      <rect className="canvas-bar-here" x={100 - bar.left - bar.here} width={bar.here} height="4" />
    </svg>
  );
}
