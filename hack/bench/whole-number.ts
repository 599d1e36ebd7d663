export interface Bounds {
  readonly atLeast: number;
  readonly atMost: number;
}

/** The value of a bench's option. @throws {Error} that says which option is wrong and what it may be */
export function wholeNumber(name: string, text: string, { atLeast, atMost }: Bounds): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= atLeast && number <= atMost) return number;
  throw new Error(`--${name} "${text}" is no whole number from ${atLeast} to ${atMost}`);
}
