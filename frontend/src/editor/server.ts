// What the editor asks of the server: is this draft sound, and keep it.

import type { Draft, Problem } from "./forms";

export type Kept = { problems: Problem[]; seen: string };
export type Answer = { kept?: Kept; refusal?: string };

export async function check(address: string, draft: Draft, token: string, signal: AbortSignal): Promise<Problem[]> {
  const answer = await post(address, { draft }, token, signal);
  if (!answer.ok) throw new Error(String(answer.status));
  return ((await answer.json()) as { problems: Problem[] }).problems;
}

export async function save(address: string, draft: Draft, seen: string, token: string): Promise<Answer> {
  try {
    const answer = await post(address, { draft, seen }, token);
    if (answer.ok) return { kept: (await answer.json()) as Kept };
    return { refusal: refusals[answer.status] ?? "The server could not save it. Nothing is lost here: try again." };
  } catch {
    return { refusal: "The server cannot be reached. Nothing is lost here: try again." };
  }
}

const refusals: Record<number, string> = {
  401: "Your session has ended. Sign in in another tab, then save again.",
  403: "Your role may not change workflows.",
  409: "Somebody else saved this draft meanwhile. Copy what you need, then load the page again.",
  413: "The draft is too large: at most 200 steps.",
};

function post(address: string, body: object, token: string, signal?: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token, "HX-Request": "true" };
  const given = { method: "POST", headers, body: JSON.stringify(body) };
  return fetch(address, signal ? { ...given, signal } : given);
}
