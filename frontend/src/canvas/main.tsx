import "@xyflow/react/dist/style.css";
import "./canvas.css";
import { createRoot } from "react-dom/client";
import { Canvas } from "./Canvas";
import { readPlan } from "./plan";

for (const host of document.querySelectorAll<HTMLElement>("[data-canvas]")) {
  createRoot(host).render(<Canvas plan={readPlan(host)} />);
}
