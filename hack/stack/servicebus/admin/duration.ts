const DAY = 86_400;
const HOUR = 3_600;
const MINUTE = 60;

/** ISO 8601 as Azure writes it: 90 seconds are "PT1M30S". */
export function formatDuration(seconds: number): string {
  const days = Math.floor(seconds / DAY);
  const hours = Math.floor((seconds % DAY) / HOUR);
  const minutes = Math.floor((seconds % HOUR) / MINUTE);
  const rest = Number((seconds % MINUTE).toFixed(3));
  const time = [hours && `${hours}H`, minutes && `${minutes}M`, rest && `${rest}S`].filter(Boolean).join("");
  if (days === 0) return `PT${time || "0S"}`;
  return time === "" ? `P${days}D` : `P${days}DT${time}`;
}

const PATTERN = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** @returns seconds; undefined when it is no such duration */
export function parseDuration(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (match === null || text === "P") return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return days * DAY + hours * HOUR + minutes * MINUTE + seconds;
}
