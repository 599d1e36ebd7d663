import type { StockOutMemory } from "./world.ts";

/**
 * A pool's clock of stock-outs. A pool whose pod had no node in time is left for its cooldown; one that runs out
 * again and again is left longer each time, and what was long ago is forgotten by half every few cooldowns.
 */
const HALF_LIFE_COOLDOWNS = 4;
const LONGEST_COOLDOWNS = 8;

interface Cooldown {
  readonly stockOutCooldownSeconds: number;
}

/** What is remembered after a stock-out at `atMs`, which must not be before the last one. */
export function rememberStockOut(
  memory: StockOutMemory | undefined,
  atMs: number,
  pool: Cooldown,
): StockOutMemory {
  if (!memory) return { lastAtMs: atMs, strength: 1 };
  const halfLifeMs = HALF_LIFE_COOLDOWNS * pool.stockOutCooldownSeconds * 1000;
  return { lastAtMs: atMs, strength: 1 + memory.strength * 2 ** (-(atMs - memory.lastAtMs) / halfLifeMs) };
}

/** When the pool is worth another try: one cooldown after a first stock-out, up to eight after many. */
export function stockedOutUntilMs(memory: StockOutMemory, pool: Cooldown): number {
  const cooldowns = Math.min(memory.strength, LONGEST_COOLDOWNS);
  return Math.round(memory.lastAtMs + cooldowns * pool.stockOutCooldownSeconds * 1000);
}
