// What the page hands over: words and figures are ready, the island only places and draws them.

export type Figure = { label: string; value: string };

export type Step = {
  id: string;
  kind: string;
  title: string;
  detail: string;
  figures: Figure[];
  href?: string;
};

export type Way = {
  from: string;
  to: string;
  branch: string;
  label: string;
};

export type Plan = { steps: Step[]; ways: Way[] };

export function readData<T>(id: string | undefined): T {
  const source = document.getElementById(id ?? "");
  if (!source?.textContent) throw new Error("canvas: the page holds no data for it");
  return JSON.parse(source.textContent) as T;
}
