import { BaseEdge, EdgeLabelRenderer, type EdgeProps } from "@xyflow/react";
import { useContext } from "react";
import { route } from "../canvas/route";
import { Acts } from "./acts";
import type { Line as LineEdge } from "./drawing";

export function Line(props: EdgeProps<LineEdge>) {
  const { data, markerEnd } = props;
  const acts = useContext(Acts);
  if (!data) return null;
  const start = { x: props.sourceX, y: props.sourceY };
  const end = { x: props.targetX, y: props.targetY };
  return (
    <>
      <BaseEdge id={props.id} path={route(start, data.bends, end)} markerEnd={markerEnd} />
      <EdgeLabelRenderer>
        <div
          className="editor-way nodrag nopan"
          // The plus keeps to the outer side, clear of what leaves the box beside this way.
          data-left={props.sourceX < data.at.x - 1 || undefined}
          style={{ transform: `translate(-50%, -50%) translate(${data.at.x}px, ${data.at.y}px)` }}
        >
          {data.label && <span className={`editor-way-label canvas-label-${data.way}`}>{data.label}</span>}
          <button
            type="button"
            className="editor-plus"
            aria-label={`Add a step after ${data.words}`}
            title="Add a step here"
            data-from={data.from}
            data-way={data.way}
            onClick={() => acts.offer({ from: data.from, way: data.way })}
          >
            +
          </button>
        </div>
      </EdgeLabelRenderer>
    </>
  );
}
