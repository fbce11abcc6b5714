// What the drawing board asks of the server: what is wrong, how it looks, keep it, take a picture.

import type { Shared } from "./blocks";

export type Problem = { part: string; line: number; message: string };
export type Draft = { subject: string; mjml: string };
export type Checked = { problems: Problem[]; warnings: Problem[]; html?: string; text?: string; says?: string[] };
export type Looked = { subject: string; text: string; looks: Record<string, string>; supposed: string[] };
export type Picture = { id: string; src: string; alt: string; width: number; height: number };

export type Addresses = { save: string; check: string; preview: string; pictures: string; blocks: string };

const REFUSALS: Record<number, string> = {
  401: "Your session has ended. Sign in in another tab, then save again.",
  403: "Your role may not change templates.",
  409: "Somebody else saved this draft meanwhile. Copy what you need, then load the page again.",
  413: "It is too large.",
};

export class Server {
  constructor(
    private readonly addresses: Addresses,
    private readonly token: string,
  ) {}

  async check(draft: Draft & { look: string }, signal: AbortSignal): Promise<Checked> {
    const answer = await this.post(this.addresses.check, JSON.stringify(draft), "application/json", signal);
    if (!answer.ok) throw new Error(REFUSALS[answer.status] ?? "It could not be checked. Try again.");
    return (await answer.json()) as Checked;
  }

  /** Save a block under a name; the server says what keeps it from being one. */
  async share(name: string, mjml: string): Promise<Shared> {
    const answer = await this.post(this.addresses.blocks, JSON.stringify({ name, mjml }), "application/json");
    const told = (await answer.json().catch(() => ({}))) as Shared & { detail?: string };
    if (!answer.ok) throw new Error(told.detail ?? REFUSALS[answer.status] ?? "It could not be saved. Try again.");
    return told;
  }

  /** How it looks to a person; a reveal, so the server may refuse it. */
  async look(asked: Draft & { number: string; segment: string }): Promise<Looked> {
    const answer = await this.post(this.addresses.preview, JSON.stringify(asked), "application/json");
    const told = (await answer.json().catch(() => ({}))) as Looked & { detail?: string };
    if (!answer.ok) throw new Error(told.detail ?? REFUSALS[answer.status] ?? "It could not be shown. Try again.");
    return told;
  }

  /** Returns when it was kept, which the next save must name. */
  async save(draft: Draft, seen: string): Promise<string> {
    const answer = await this.post(this.addresses.save, JSON.stringify({ ...draft, seen }), "application/json");
    if (!answer.ok) throw new Error(REFUSALS[answer.status] ?? "It could not be saved. Nothing is lost here: try again.");
    return ((await answer.json()) as { seen: string }).seen;
  }

  async upload(file: File, alt: string, adorns: boolean): Promise<Picture> {
    const form = new FormData();
    form.set("picture", file);
    form.set("alt", alt);
    if (adorns) form.set("adorns", "1");
    const answer = await this.post(this.addresses.pictures, form);
    const told = (await answer.json()) as Picture & { detail?: string };
    if (!answer.ok) throw new Error(told.detail ?? REFUSALS[answer.status] ?? "The picture could not be taken.");
    return told;
  }

  private post(address: string, body: BodyInit, kind = "", signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { "X-CSRFToken": this.token, "HX-Request": "true" };
    if (kind) headers["Content-Type"] = kind;
    return fetch(address, { method: "POST", headers, body, ...(signal ? { signal } : {}) });
  }
}
