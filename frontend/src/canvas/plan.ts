// What the page hands over: words and figures are ready, the island only places and draws them.

export type Figure = { label: string; value: string };

/** Of those who came, how many per cent left here, and how many are here. */
export type Bar = { left: number; here: number };

export type Step = {
  id: string;
  kind: string;
  title: string;
  detail: string;
  figures: Figure[];
  bar?: Bar | null;
  href?: string;
};

export type Way = {
  from: string;
  to: string;
  branch: string;
  label: string;
  /** The share of all who entered that went this way. */
  weight?: number;
};

/** One person's path: its steps, its ways as [from, branch], and where the person is. */
export type Walked = { steps: string[]; ways: [string, string][]; here: string };
/** What the drawing can show, and where it is asked for. */
export type Mode = { key: string; label: string; address: string };
export type Plan = { steps: Step[]; ways: Way[]; walked?: Walked; modes?: Mode[] };

export function readData<T>(id: string | undefined): T {
  const source = document.getElementById(id ?? "");
  if (!source?.textContent) throw new Error("canvas: the page holds no data for it");
  return JSON.parse(source.textContent) as T;
}
