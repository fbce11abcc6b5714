// The boxes of the mail as a list: chosen, moved, doubled and taken out without a mouse.

import type { Component, Editor } from "grapesjs";

const NAMES: Record<string, string> = {
  "mj-section": "Row",
  "mj-wrapper": "Frame",
  "mj-hero": "Hero",
  "mj-group": "Group",
  "mj-column": "Column",
  "mj-text": "Text",
  "mj-button": "Button",
  "mj-image": "Picture",
  "mj-divider": "Divider",
  "mj-spacer": "Space",
  "mj-raw": "Piece",
  "mj-table": "Table",
};
const BOXES = new Set(["mj-section", "mj-wrapper", "mj-hero", "mj-group", "mj-column"]);
const EXCERPT = 32;

/** What a box is, with its first words. */
export function called(one: Component): string {
  const kind = String(one.get("type"));
  const name = NAMES[kind] ?? kind.replace(/^mj-/, "");
  if (BOXES.has(kind)) return name;
  const words = kind === "mj-image" ? String(one.getAttributes().alt ?? "") : one.getInnerHTML().replace(/<[^>]*>/g, " ");
  const plain = words.replace(/\s+/g, " ").trim();
  if (!plain) return name;
  return `${name}: ${plain.length > EXCERPT ? `${plain.slice(0, EXCERPT)}…` : plain}`;
}

export class Order {
  private readonly rows = new Map<Component, HTMLButtonElement>();

  constructor(
    private readonly editor: Editor,
    private readonly list: HTMLElement,
    private readonly tell: (words: string) => void,
  ) {
    list.addEventListener("keydown", (event) => this.key(event));
  }

  draw(): void {
    const before = [...this.rows].find(([, button]) => button === document.activeElement)?.[0];
    this.rows.clear();
    this.list.replaceChildren(...this.items(this.body(), 0));
    if (before) this.rows.get(before)?.focus();
  }

  /** Move a box one place; one at the edge of its column goes on into the next column. */
  move(one: Component, by: -1 | 1): void {
    const parent = one.parent();
    if (!parent) return;
    const at = one.index() + by;
    if (at >= 0 && at < parent.components().length) {
      one.move(parent, { at: by > 0 ? at + 1 : at });
    } else if (!this.across(one, parent, by)) {
      return this.tell(by < 0 ? "It stands first." : "It stands last.");
    }
    this.editor.select(one, { scroll: true });
    this.tell(`${called(one)} moved ${by < 0 ? "up" : "down"}.`);
    this.draw();
    this.rows.get(one)?.focus();
  }

  double(one: Component): void {
    const parent = one.parent();
    if (!parent) return;
    const [made] = parent.append(one.clone(), { at: one.index() + 1 });
    if (made) this.editor.select(made, { scroll: true });
    this.tell(`${called(one)} stands there twice now.`);
  }

  remove(one: Component): void {
    const parent = one.parent();
    const at = one.index();
    this.tell(`${called(one)} is taken out. Undo brings it back.`);
    one.remove();
    const next = parent?.components().at(at) ?? parent?.components().at(at - 1);
    if (next) this.editor.select(next);
    this.draw();
    if (next) this.rows.get(next)?.focus();
  }

  private across(one: Component, parent: Component, by: -1 | 1): boolean {
    if (parent.get("type") !== "mj-column") return false;
    const columns = this.editor.getWrapper()?.findType("mj-column") ?? [];
    const next = columns[columns.indexOf(parent) + by];
    if (!next) return false;
    one.move(next, { at: by > 0 ? 0 : next.components().length });
    return true;
  }

  private body(): Component | undefined {
    return this.editor.getWrapper()?.findType("mj-body")[0];
  }

  private items(box: Component | undefined, depth: number): HTMLElement[] {
    if (!box) return [];
    return box.components().map((one: Component) => {
      const line = document.createElement("li");
      line.append(this.button(one));
      if (BOXES.has(String(one.get("type")))) {
        const inner = document.createElement("ul");
        inner.append(...this.items(one, depth + 1));
        line.append(inner);
      }
      return line;
    });
  }

  private button(one: Component): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = called(one);
    button.setAttribute("aria-pressed", String(this.editor.getSelected() === one));
    button.addEventListener("click", () => this.editor.select(one, { scroll: true }));
    this.rows.set(one, button);
    return button;
  }

  private key(event: KeyboardEvent): void {
    const found = [...this.rows].find(([, button]) => button === event.target);
    if (!found) return;
    const [one, button] = found;
    const up = event.key === "ArrowUp";
    if (up || event.key === "ArrowDown") {
      event.preventDefault();
      if (event.altKey) return this.move(one, up ? -1 : 1);
      const all = [...this.rows.values()];
      all[all.indexOf(button) + (up ? -1 : 1)]?.focus();
    } else if (event.key === "Delete") {
      event.preventDefault();
      event.stopPropagation(); // the editor's own key would take out what is selected then
      this.remove(one);
    }
  }
}
