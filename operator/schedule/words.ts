/** "1 GPU", "3 GPUs": numbers in sentences for people. */
export function counted(count: number, thing: string): string {
  return count === 1 ? `1 ${thing}` : `${count} ${thing}s`;
}
