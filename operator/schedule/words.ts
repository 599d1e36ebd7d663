/** "1 GPU", "3 GPUs": numbers in sentences for people. */
export function counted(count: number, thing: string): string {
  return count === 1 ? `1 ${thing}` : `${count} ${thing}s`;
}

/** "a", "a or b", "a, b or c". */
export function oneOf(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

const DAY_MS = 86_400_000;

/** "2026-11-24 08:30 UTC", rounded up to the minute. Without `Date`: decisions have no clock to read by accident. */
export function utcMinute(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  const day = Math.floor((minutes * 60_000) / DAY_MS);
  const ofDay = minutes - (day * DAY_MS) / 60_000;
  const two = (value: number) => String(value).padStart(2, "0");
  return `${civilDate(day).map(two).join("-")} ${two(Math.floor(ofDay / 60))}:${two(ofDay % 60)} UTC`;
}

/** Year, month and day of the Gregorian calendar, from days since 1970; years begin in March while it counts. */
function civilDate(daysSince1970: number): [number, number, number] {
  const days = daysSince1970 + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - Math.floor((153 * march + 2) / 5) + 1];
}
