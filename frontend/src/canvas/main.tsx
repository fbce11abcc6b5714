import "@xyflow/react/dist/style.css";
import "./canvas.css";
import "../editor/editor.css";
import { createRoot } from "react-dom/client";
import { Editor, type Given } from "../editor/Editor";
import { Canvas } from "./Canvas";
import { readData } from "./plan";
import type { Plan } from "./plan";

for (const host of document.querySelectorAll<HTMLElement>("[data-canvas]")) {
  createRoot(host).render(<Canvas plan={readData<Plan>(host.dataset.plan)} />);
}

for (const host of document.querySelectorAll<HTMLElement>("[data-editor]")) {
  const given = readData<Given>(host.dataset.editor);
  createRoot(host).render(<Editor {...given} token={host.dataset.token ?? ""} />);
}
