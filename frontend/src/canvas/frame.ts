import type { Node } from "@xyflow/react";
import type { Bend, Point } from "./layout";

export type Frame = Node<Record<string, never>, "frame">;
export type Drawn = { bends: Bend[]; at: Point; label: string };

/** What is fitted into the view: the boxes, and the frame that is never drawn. */
export const WHOLE = { maxZoom: 1, padding: 0.08, includeHiddenNodes: true };

export const isFrame = (node: { type?: string | undefined }): node is Frame => node.type === "frame";

/** A hidden box around all lines and their labels, which may bend out beyond the outermost steps. */
export function frameOf(lines: Drawn[]): Frame[] {
  const points = lines.flatMap(({ bends, at, label }) => {
    const half = label ? 6 + label.length * 3.5 : 0;
    return [...bends, ...(label ? [{ x: at.x - half, y: at.y }, { x: at.x + half, y: at.y }] : [])];
  });
  if (points.length === 0) return [];
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const position = { x: Math.min(...xs), y: Math.min(...ys) };
  const measured = { width: Math.max(1, Math.max(...xs) - position.x), height: Math.max(1, Math.max(...ys) - position.y) };
  return [{ id: "FRAME", type: "frame", hidden: true, position, measured, data: {} }];
}
