// What the selected box says and where it leads, as fields of the page: the way without a mouse, and
// on a telephone.

import type { Component } from "grapesjs";
import type { Field } from "./blocks";

const WRITTEN = new Set(["mj-text", "mj-button", "mj-table"]);
const LEADING = new Set(["mj-button", "mj-image", "mj-social-element", "mj-navbar-link"]);
const SEEN = new Set(["mj-image"]);

export class Words {
  private one: Component | undefined;
  private readonly words: HTMLTextAreaElement;
  private readonly link: HTMLInputElement;
  private readonly alt: HTMLInputElement;

  constructor(
    private readonly host: HTMLElement,
    fields: Field[],
  ) {
    this.words = host.querySelector("textarea")!;
    this.link = host.querySelector<HTMLInputElement>("input[name=href]")!;
    this.alt = host.querySelector<HTMLInputElement>("input[name=alt]")!;
    this.words.addEventListener("input", () => this.write());
    this.link.addEventListener("input", () => this.set("href", this.link.value));
    this.alt.addEventListener("input", () => this.set("alt", this.alt.value, true));
    const select = host.querySelector("select")!;
    select.append(...fields.map((field) => new Option(field.label, field.tag)));
    select.addEventListener("change", () => {
      this.words.setRangeText(select.value, this.words.selectionStart, this.words.selectionEnd, "end");
      select.value = "";
      this.write();
      this.words.focus();
    });
  }

  /** Show what there is to say of a box. */
  of(one: Component | undefined): void {
    this.one = one;
    const kind = String(one?.get("type") ?? "");
    this.offer("words", WRITTEN.has(kind));
    this.offer("link", LEADING.has(kind));
    this.offer("alt", SEEN.has(kind));
    if (!one) return;
    this.put(this.words, WRITTEN.has(kind) ? one.getInnerHTML().trim() : "");
    this.put(this.link, String(one.getAttributes().href ?? ""));
    this.put(this.alt, String(one.getAttributes().alt ?? ""));
  }

  private offer(name: string, there: boolean): void {
    this.host.querySelector<HTMLElement>(`[data-field="${name}"]`)!.hidden = !there;
  }

  /** Leave alone what is being written. */
  private put(input: HTMLInputElement | HTMLTextAreaElement, value: string): void {
    if (document.activeElement !== input) input.value = value;
  }

  private write(): void {
    this.one?.components(this.words.value);
  }

  private set(name: string, value: string, empty = false): void {
    if (value || empty) this.one?.addAttributes({ [name]: value });
    else this.one?.removeAttributes(name);
  }
}
