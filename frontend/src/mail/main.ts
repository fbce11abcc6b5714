import "grapesjs/dist/css/grapes.min.css";
import "./mail.css";
import { Board, type Given } from "./board";

for (const host of document.querySelectorAll<HTMLElement>("[data-mail-board]")) {
  const data = document.getElementById(host.dataset.mailBoard ?? "");
  if (data) new Board(host, JSON.parse(data.textContent ?? "") as Given, host.dataset.token ?? "");
}
