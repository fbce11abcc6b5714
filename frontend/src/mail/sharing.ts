// Take a block elsewhere: copied into another mail of mine, or saved under a name for every template.

import type { Component, Editor } from "grapesjs";
import { addShared, shared } from "./blocks";
import type { Server } from "./server";
import { boxes, sourceOf } from "./source";

const WITHIN = new Set(["mjml", "mj-body", "mj-column", "mj-group"]);

export class Sharing {
  constructor(
    private readonly editor: Editor,
    private readonly dialog: HTMLDialogElement,
    private readonly server: Server,
    private readonly key: string,
    private readonly tell: (words: string) => void,
  ) {
    dialog.querySelector("form")!.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save(event.target as HTMLFormElement);
    });
  }

  /** Keep a block for a mail that is opened later, in this browser and for this person alone. */
  copy(one: Component): void {
    if (!this.whole(one)) return;
    localStorage.setItem(this.key, sourceOf(one.toHTML()));
    this.tell("Copied. Paste it into this mail or another one.");
  }

  /** Return what was copied as the board takes it; empty where nothing was. */
  copied(): string {
    return boxes(localStorage.getItem(this.key) ?? "");
  }

  begin(one: Component): void {
    if (this.whole(one)) this.dialog.showModal();
  }

  private whole(one: Component): boolean {
    const fits = !WITHIN.has(String(one.get("type")));
    if (!fits) this.tell("Select a row, or a block within a column.");
    return fits;
  }

  private async save(form: HTMLFormElement): Promise<void> {
    const one = this.editor.getSelected();
    const given = new FormData(form);
    const said = this.dialog.querySelector("[data-said]")!;
    if (!one) return;
    try {
      const made = await this.server.share(String(given.get("name") ?? ""), sourceOf(one.toHTML()));
      addShared(this.editor, made);
      if (given.get("here")) this.editor.select(one.replaceWith(shared(made.slug))[0]);
      said.textContent = "";
      form.reset();
      this.dialog.close();
      this.tell(`Saved as the shared block “${made.name}”. It stands under Blocks, Shared, in every template.`);
    } catch (why) {
      said.textContent = (why as Error).message;
    }
  }
}
