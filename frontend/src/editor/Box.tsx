import { Handle, type NodeProps, Position } from "@xyflow/react";
import { useContext } from "react";
import { Acts } from "./acts";
import type { Box as BoxNode } from "./drawing";

export function Box({ id, data, selected }: NodeProps<BoxNode>) {
  const acts = useContext(Acts);
  const wrong = data.problems.length;
  return (
    <div
      className={`canvas-step canvas-step-${data.kind} editor-step`}
      data-selected={selected || undefined}
      data-wrong={wrong > 0 || undefined}
      data-marked={data.marked || undefined}
    >
      {!data.entry && <Handle type="target" id="in" position={Position.Top} />}
      <p className="canvas-kind">
        {data.entry ? "start" : data.kind.replace("_", " ")}
        {data.marked && <span className="editor-marked">marked</span>}
        {wrong > 0 && <span className="editor-wrong">{wrong} to mend</span>}
      </p>
      <p className="canvas-title" title={data.title}>{data.title}</p>
      <p className="editor-name">{data.name}</p>
      {data.outs.map((out) => (
        <span key={out.key} className={out.spare ? "editor-out editor-spare" : "editor-out"} title={out.spare ? `${out.label}: draw it to a step, or leave it` : undefined} style={{ left: `${out.place}%` }}>
          <Handle type="source" id={out.key} position={Position.Bottom} />
          {out.open && (
            <button
              type="button"
              className="editor-plus nodrag nopan"
              aria-label={`Add a step after ${data.title}, ${out.label}`}
              title={`${out.label}: nothing yet. Add a step`}
              data-from={id}
              data-way={out.key}
              onClick={() => acts.offer({ from: id, way: out.key })}
            >
              +
            </button>
          )}
        </span>
      ))}
    </div>
  );
}
