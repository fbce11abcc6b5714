import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import type { Side } from "./layout";
import type { Step } from "./plan";

export type StepNode = Node<{ step: Step; outs: Side[] }, "step">;

export function StepBox({ data, selected }: NodeProps<StepNode>) {
  const { step, outs } = data;
  return (
    <div className={`canvas-step canvas-step-${step.kind}`} data-selected={selected || undefined}>
      <Handle type="target" id="in" position={Position.Top} isConnectable={false} />
      <p className="canvas-kind">{step.kind.replace("_", " ")}</p>
      <p className="canvas-title" title={step.title}>{step.title}</p>
      <dl className="canvas-figures">
        {step.figures.map((figure) => (
          <div key={figure.label}>
            <dd>{short(figure.value)}</dd>
            <dt>{figure.label}</dt>
          </div>
        ))}
      </dl>
      {outs.map((side) => (
        <Handle
          key={side}
          type="source"
          id={side}
          position={Position.Bottom}
          className={`canvas-out-${side}`}
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
