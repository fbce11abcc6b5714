import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps } from "@xyflow/react";
import type { Bend, Point } from "./layout";
import type { Way } from "./plan";
import { route } from "./route";

export type WayEdge = Edge<{ way: Way; bends: Bend[]; label: Point; mark: "" | "walked" | "beside" }, "way">;

export function WayLine(props: EdgeProps<WayEdge>) {
  const { data, markerEnd } = props;
  if (!data) return null;
  const start = { x: props.sourceX, y: props.sourceY };
  const end = { x: props.targetX, y: props.targetY };
  const { x, y } = data.label;
  return (
    <>
      <BaseEdge
        id={props.id}
        path={route(start, data.bends, end)}
        markerEnd={markerEnd}
        className={data.mark && `canvas-way-${data.mark}`}
        style={data.mark || !data.way.weight ? {} : { strokeWidth: 1.5 + 4.5 * data.way.weight }}
      />
      {data.way.label && (
        <EdgeLabelRenderer>
          <div
            className={`canvas-label canvas-label-${data.way.branch}`}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {data.way.label.replace(/about /g, "~")}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}
