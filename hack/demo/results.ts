import { mkdir, writeFile } from "node:fs/promises";
import { join, parse } from "node:path";
import { EXPORTS, STAGES } from "#crds/stages.ts";
import { contactSheet, type ContactRow } from "./contact-sheet.ts";
import type { FinishedItem, Narrator } from "./narrator.ts";
import type { JobView, Photo } from "./tenant.ts";

export interface Results {
  readonly view: JobView;
  readonly photos: readonly Photo[];
  /** Folder, made when missing. */
  readonly out: string;
  readonly narrator: Narrator;
}

/** Fetches every picture by its read URL, writes it under a telling name, and draws the contact sheet. */
export async function savePictures({ view, photos, out, narrator }: Results): Promise<FinishedItem[]> {
  await mkdir(out, { recursive: true });
  const names = EXPORTS.filter((name) =>
    view.items.some(({ exports }) => exports.some((one) => one.name === name)),
  );
  const rows: ContactRow[] = [];
  const finished: FinishedItem[] = [];
  for (const [index, item] of view.items.entries()) {
    const stem = parse(item.filename).name;
    const cutOut = await save(item.urls.bg_removed, join(out, `${stem}-cutout`));
    const placed = await save(item.urls.placed, join(out, `${stem}-placed`));
    const exported = await Promise.all(
      names.map((name) => {
        const url = item.exports.find((one) => one.name === name)?.url ?? null;
        return save(url, join(out, `${stem}-${name.replace(":", "x")}`));
      }),
    );
    const failure = item.error && `${item.error.class}: ${item.error.message}`;
    if (failure) narrator.say(`${item.filename}: ${failure}`);
    rows.push({
      title: item.filename,
      pictures: [photos[index]?.bytes, cutOut?.bytes, placed?.bytes, ...exported.map((one) => one?.bytes)],
      ...(failure && { note: failure }),
    });
    finished.push({
      id: item.item_id,
      filename: item.filename,
      state: item.status,
      exports: exported.flatMap((one) => (one ? [one.path] : [])),
      seconds: inOrder(item.ai_metadata.seconds),
    });
  }
  const sheet = join(out, "contact-sheet.png");
  await writeFile(sheet, await contactSheet(["before", "cut-out", "placed", ...names], rows));
  narrator.say(`pictures are in ${out}; look at ${sheet}`);
  return finished;
}

/** Downloads to `path` plus the extension that the answer's media type asks for. */
async function save(url: string | null, path: string) {
  if (url === null) return undefined;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const named = `${path}${response.headers.get("content-type") === "image/jpeg" ? ".jpg" : ".png"}`;
  await writeFile(named, bytes);
  return { path: named, bytes };
}

/** The database keeps no order. */
function inOrder(seconds: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    [...STAGES, "total"].flatMap((name) => (name in seconds ? [[name, seconds[name] ?? 0]] : [])),
  );
}
