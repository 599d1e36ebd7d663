/** One self-contained page: the figures, then pictures side by side, because people look rather than read. */
import { type AreaResult, type Exhibit, isMet, type Panel } from "../figures.ts";

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const number = (value: number | undefined) =>
  value === undefined ? "" : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));

function table(areas: readonly AreaResult[]): string {
  const rows = areas.flatMap(({ figures }) =>
    figures.map((figure) => {
      const { label, ours, baseline, rembg, bar } = figure;
      const met = isMet(figure);
      const verdict = met === undefined ? "" : met ? "met" : "missed";
      const wanted = bar ? `${bar.better === "higher" ? "≥" : "≤"} ${number(bar.value)}` : "";
      const cells = [number(ours), number(baseline), number(rembg), wanted, verdict];
      return `<tr class="${verdict}"><th>${escaped(label)}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
    }),
  );
  const heading = ["ours", "baseline", "rembg", "bar", ""].map((cell) => `<th>${cell}</th>`).join("");
  return `<table><tr><th>metric</th>${heading}</tr>${rows.join("")}</table>`;
}

function figure({ label, bytes }: Panel): string {
  const type = bytes[0] === 0x89 ? "png" : "jpeg";
  const source = `data:image/${type};base64,${Buffer.from(bytes).toString("base64")}`;
  return `<figure><img src="${source}" alt="${escaped(label)}"><figcaption>${escaped(label)}</figcaption></figure>`;
}

function section({ heading, about, panels }: Exhibit): string {
  return `<h3>${escaped(heading)} <small>${escaped(about)}</small></h3><div class="row">${panels.map(figure).join("")}</div>`;
}

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1500px; padding: 0 1rem; color: #1d1d1f; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem; text-align: right; font-variant-numeric: tabular-nums; }
tr > th:first-child { text-align: left; font-weight: 500; } tr.missed td { color: #b3261e; font-weight: 600; } tr.met td:last-child { color: #1a7f37; }
tr:nth-child(even) { background: #f5f5f7; } small { color: #6e6e73; font-weight: 400; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: .6rem; align-items: start; }
figure { margin: 0; } img { width: 100%; border: 1px solid #ddd; } figcaption { font-size: 13px; color: #444; }
pre { background: #f5f5f7; padding: .8rem; overflow: auto; }`;

/** @returns the page as HTML; `about` is a line under the title */
export function renderPage(areas: readonly AreaResult[], about: string): string {
  const parts = areas.map(({ area, lines = [], exhibits = [] }) => {
    if (lines.length === 0 && exhibits.length === 0) return "";
    const text = lines.length > 0 ? `<pre>${escaped(lines.join("\n"))}</pre>` : "";
    return `<h2>${escaped(area)}</h2>${text}${exhibits.map(section).join("")}`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>OPAL: evaluation of the pictures</title><style>${STYLE}</style>
<h1>Evaluation of the pictures</h1><p>${escaped(about)}</p>${table(areas)}${parts.join("")}</html>`;
}
