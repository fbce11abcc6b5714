// The drawing board: GrapesJS in the middle, our words around it.

import grapesjs, { type Block, type Component, type Editor } from "grapesjs";
import mjmlPlugin from "grapesjs-mjml";
import { addBlocks, NO_PICTURE, type Condition, type Field, type Shared } from "./blocks";
import { Looking } from "./looking";
import { called, Order } from "./order";
import { Pictures } from "./pictures";
import { Server, type Addresses, type Checked, type Draft, type Picture, type Problem } from "./server";
import { Sharing } from "./sharing";
import { forBoard, fromBoard, headWord, join, split, withHeadWord, type Parts } from "./source";
import { Words } from "./words";

export type Given = {
  subject: string;
  mjml: string;
  seen: string;
  addresses: Addresses;
  clipboard: string;
  fields: Field[];
  conditions: Condition[];
  shared: Shared[];
  pictures: Picture[];
};

const PAUSE = 700;

// The plugin is a CommonJS module: its function is the default of what bundlers call the default.
type Plugin = typeof mjmlPlugin;
const mjml: Plugin = (mjmlPlugin as unknown as { default?: Plugin }).default ?? mjmlPlugin;

export class Board {
  private readonly server: Server;
  private readonly editor: Editor;
  private readonly order: Order;
  private readonly words: Words;
  private readonly looking: Looking;
  private readonly sharing: Sharing;
  private parts: Parts;
  private seen: string;
  private dirty = false;
  private waiting = 0;
  private asking = new AbortController();

  constructor(
    private readonly host: HTMLElement,
    private readonly given: Given,
    token: string,
  ) {
    this.server = new Server(given.addresses, token);
    this.parts = split(given.mjml) ?? { before: "<mjml>", open: "<mj-body>", inner: "", after: "</mj-body></mjml>" };
    this.seen = given.seen;
    this.editor = this.begin();
    this.order = new Order(this.editor, this.part("order"), (words) => this.tell(words));
    this.words = new Words(this.part("words"), given.fields);
    new Pictures(this.part("pictures"), given.pictures, this.server, (one) => this.place(one));
    this.looking = new Looking(this.part("preview") as HTMLDialogElement, this.server, () => this.draft(), () => this.check());
    this.sharing = new Sharing(this.editor, this.part("sharing") as HTMLDialogElement, this.server, given.clipboard, (words) => this.tell(words));
    this.fill("subject", given.subject);
    this.fill("preheader", headWord(given.mjml, "mj-preview"));
    this.listen();
    host.inert = false;  // until here nothing would have heeded what is pressed
    this.editor.onReady(() => this.ready());
    this.check();
  }

  /** Put in what is there, and let it be changed: what is typed sooner would be lost. */
  private fill(name: "subject" | "preheader", words: string): void {
    this.field(name).value = words;
    this.field(name).disabled = false;
  }

  private begin(): Editor {
    const editor = grapesjs.init({
      container: this.part("canvas"),
      height: "100%",
      fromElement: false,
      storageManager: false,
      telemetry: false,
      cssIcons: "",
      noticeOnUnload: false,
      panels: { defaults: [] },
      blockManager: { appendTo: this.part("blocks"), appendOnClick: (block: Block) => this.insert(block) } as never,
      styleManager: { appendTo: this.part("style") },
      traitManager: { custom: true },
      selectorManager: { componentFirst: true },
      assetManager: { custom: true },
      richTextEditor: { actions: ["bold", "italic", "link"] },
      canvas: { frameStyle: FRAME },
      plugins: [(e: Editor) => mjml(e, { blocks: [], resetBlocks: true, useCustomTheme: false, resetDevices: true, imagePlaceholderSrc: NO_PICTURE })],
    });
    editor.Panels.getPanels().reset();  // the plugin's own; ours stand around the board
    addBlocks(editor, this.given);
    this.addFields(editor);
    editor.setComponents(forBoard(this.parts));
    editor.UndoManager.clear();
    return editor;
  }

  /** Offer the contact's fields where words are edited. */
  private addFields(editor: Editor): void {
    const select = document.createElement("select");
    select.title = "Put in a field of the contact";
    select.append(new Option("Put in …", ""), ...this.given.fields.map((one) => new Option(one.label, one.tag)));
    editor.RichTextEditor.add("field", {
      icon: select.outerHTML,
      event: "change",
      result: (rte: { insertHTML(html: string): void }, action: { btn: HTMLElement }) => {
        const chosen = action.btn.firstChild as HTMLSelectElement;
        rte.insertHTML(chosen.value);
        chosen.value = "";
      },
    } as never);
  }

  private listen(): void {
    const { editor } = this;
    editor.on("update", () => this.changed());
    editor.on("component:selected", (one: Component) => this.chosen(one));
    editor.on("component:deselected", () => this.selected());
    editor.on("asset:open", () => this.show("pictures"));
    for (const name of ["subject", "preheader"] as const) this.field(name).addEventListener("input", () => this.changed());
    for (const button of this.host.querySelectorAll<HTMLButtonElement>("[data-do]")) {
      button.addEventListener("click", () => this.act(button.dataset.do ?? "", button));
    }
    for (const tab of this.host.querySelectorAll<HTMLButtonElement>("[data-tab]")) {
      tab.addEventListener("click", () => this.show(tab.dataset.tab ?? ""));
    }
    addEventListener("beforeunload", (event) => {
      if (this.dirty) event.preventDefault();
    });
    addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s") {
        event.preventDefault();
        void this.save();
      }
    });
  }

  private act(name: string, button: HTMLButtonElement): void {
    const { editor } = this;
    const acts: Record<string, () => void> = {
      undo: () => this.step(() => editor.UndoManager.undo()),
      redo: () => this.step(() => editor.UndoManager.redo()),
      wide: () => this.device("Desktop", button),
      narrow: () => this.device("Mobile portrait", button),
      save: () => void this.save(),
      review: () => void this.review(),
      preview: () => this.looking.open(),
      up: () => this.withSelected((one) => this.order.move(one, -1)),
      down: () => this.withSelected((one) => this.order.move(one, 1)),
      double: () => this.withSelected((one) => this.order.double(one)),
      copy: () => this.withSelected((one) => this.sharing.copy(one)),
      paste: () => this.paste(),
      share: () => this.withSelected((one) => this.sharing.begin(one)),
      remove: () => this.withSelected((one) => this.order.remove(one)),
    };
    acts[name]?.();
  }

  /** Go one step back or forth; the selection is not a step. */
  private step(act: () => void): void {
    act();
    this.changed();
  }

  private withSelected(act: (one: Component) => void): void {
    const one = this.editor.getSelected();
    if (one) act(one);
    else this.tell("Select a block first: on the mail, or under Order.");
  }

  private paste(): void {
    const copied = this.sharing.copied();
    if (copied) this.put(copied);
    else this.tell("Nothing was copied yet: select a block and press Copy.");
  }

  private insert(block: Block): void {
    this.put(block.get("content") as string | object);
  }

  /** Put boxes behind what is selected, or at the end: the way without dragging. */
  private put(content: string | object): void {
    const whole = typeof content === "string" && /^\s*<mj-(section|wrapper|hero|raw)/i.test(content);
    const kind = whole ? "mj-body" : "mj-column";
    const chosen = this.editor.getSelected();
    const box = (chosen && (chosen.is(kind) ? chosen : chosen.closestType(kind))) ?? this.last(kind);
    if (!box) return this.tell("Put a column into the mail first.");
    let beside = chosen;
    while (beside && beside.parent() !== box) beside = beside.parent();
    const at = beside ? beside.index() + 1 : box.components().length;
    const made = box.append(content as never, { at });
    if (made[0]) this.editor.select(made[0], { scroll: true });
  }

  private last(kind: string): Component | undefined {
    return this.editor.getWrapper()?.findType(kind).pop();
  }

  private ready(): void {
    this.reachable();
    this.order.draw();
    const frame = this.part("canvas").querySelector("iframe");
    if (frame) frame.title = "The mail, to edit in place";
  }

  /** Blocks are boxes that a mouse drags: let the keyboard reach and choose them too. */
  private reachable(): void {
    this.pressable(this.part("blocks").querySelectorAll<HTMLElement>(".gjs-block, .gjs-block-category .gjs-title"));
  }

  private pressable(found: NodeListOf<HTMLElement>): void {
    for (const one of found) {
      if (one.getAttribute("role") === "button") continue;
      one.tabIndex = 0;
      one.setAttribute("role", "button");
      one.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        one.click();
      });
    }
  }

  private device(name: string, button: HTMLButtonElement): void {
    this.editor.setDevice(name);
    for (const one of this.host.querySelectorAll<HTMLButtonElement>('[data-do="wide"], [data-do="narrow"]')) {
      one.setAttribute("aria-pressed", String(one === button));
    }
  }

  /** A picture was chosen: it goes into the image that is selected, or into a new one. */
  private place(one: Picture): void {
    const chosen = this.editor.getSelected();
    if (chosen?.get("type") === "mj-image") {
      chosen.set("src", one.src);
      chosen.addAttributes({ src: one.src, alt: one.alt });
      this.show("settings");
      return;
    }
    this.tell("Put an Image block into the mail first, and select it.");
  }

  private chosen(one: Component): void {
    const kind = one.get("type");
    this.selected();
    if (kind === "mj-image" && !String(one.getAttributes().src ?? "").startsWith("http")) this.show("pictures");
    else if (this.shown() !== "layers") this.show("settings");
  }

  /** Say what is selected, and show its words. */
  private selected(): void {
    const one = this.editor.getSelected();
    this.part("selected").textContent = one ? called(one) : "Nothing is selected.";
    this.words.of(one);
    this.order.draw();
    this.label();
  }

  /** The editor's own inputs have their names beside them only; and its headings only open to a mouse. */
  private label(): void {
    for (const one of this.part("style").querySelectorAll<HTMLElement>(".gjs-sm-property")) {
      const name = one.querySelector(".gjs-sm-label")?.textContent?.trim() ?? "";
      for (const input of one.querySelectorAll("input, select")) if (name) input.setAttribute("aria-label", name);
    }
    this.pressable(this.part("style").querySelectorAll<HTMLElement>(".gjs-sm-sector-title"));
  }

  private shown(): string {
    return this.host.querySelector<HTMLButtonElement>('[data-tab][aria-pressed="true"]')?.dataset.tab ?? "";
  }

  private show(name: string): void {
    for (const tab of this.host.querySelectorAll<HTMLButtonElement>("[data-tab]")) {
      tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
    }
    for (const panel of this.host.querySelectorAll<HTMLElement>("[data-panel]")) {
      panel.hidden = panel.dataset.panel !== name;
    }
  }

  private draft(): Draft {
    const whole = join(this.parts, fromBoard(this.editor.getHtml()));
    return { subject: this.field("subject").value, mjml: withHeadWord(whole, "mj-preview", this.field("preheader").value) };
  }

  private changed(): void {
    this.dirty = true;
    this.part("saved").textContent = "Not saved yet.";
    this.selected();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.check(), PAUSE);
  }

  private check(): void {
    this.asking.abort();
    this.asking = new AbortController();
    this.server
      .check({ ...this.draft(), look: this.looking.look() }, this.asking.signal)
      .then((found) => this.showChecked(found))
      .catch((why: Error) => {
        if (why.name !== "AbortError") this.tell(why.message);
      });
  }

  private showChecked(found: Checked): void {
    const list = this.part("problems");
    list.replaceChildren(...lines(found.problems, "bad"), ...lines(found.warnings, "warn"));
    this.part("sound").hidden = found.problems.length > 0;
    const count = this.part("count");
    count.textContent = found.problems.length ? `${found.problems.length}` : "";
    this.looking.take(found);
    this.part("says").textContent = found.says ? `Says of the person: ${found.says.join(", ") || "nothing"}.` : "";
  }

  private async save(): Promise<boolean> {
    try {
      this.seen = await this.server.save(this.draft(), this.seen);
      this.dirty = false;
      this.part("saved").textContent = "";
      this.tell("Saved as the draft.");
      return true;
    } catch (why) {
      this.tell((why as Error).message);
      return false;
    }
  }

  /** Keep the draft, and make the version that others review; the server says what is wrong. */
  private async review(): Promise<void> {
    if (await this.save()) (this.part("review") as HTMLFormElement).submit();
  }

  private tell(words: string): void {
    this.part("status").textContent = words;
  }

  private part(name: string): HTMLElement {
    const found = this.host.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the page lacks ${name}`);
    return found;
  }

  private field(name: string): HTMLInputElement {
    return this.part(name) as HTMLInputElement;
  }
}

function lines(problems: Problem[], kind: string): HTMLElement[] {
  return problems.map((one) => {
    const line = document.createElement("li");
    line.className = kind;
    line.textContent = `${one.part}${one.line ? `, line ${one.line}` : ""}: ${one.message}`;
    return line;
  });
}

const FRAME = `
  body { background-color: #eef1f1; }
  .attune-piece { font: 13px system-ui, sans-serif; color: #1e58a8; background: #e6effb; border: 1px dashed #1e58a8; border-radius: 4px; padding: 4px 8px; margin: 2px 8px; }
  ::-webkit-scrollbar { width: 6px; } ::-webkit-scrollbar-thumb { background: #86918f; border-radius: 3px; }
`;
