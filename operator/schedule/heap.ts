/** A binary heap: `pop` gives the first by `isBefore`, a strict order. */
export interface Heap<T> {
  push(one: T): void;
  pop(): T | undefined;
  peek(): T | undefined;
}

export function createHeap<T>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];

  function swapIfBefore(child: number, parent: number): boolean {
    const a = items[child];
    const b = items[parent];
    if (a === undefined || b === undefined || !isBefore(a, b)) return false;
    items[child] = b;
    items[parent] = a;
    return true;
  }

  function sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const first = items[left];
      const second = items[left + 1];
      const child = first !== undefined && second !== undefined && isBefore(second, first) ? left + 1 : left;
      if (!swapIfBefore(child, at)) return;
      at = child;
    }
  }

  return {
    push(one) {
      let at = items.push(one) - 1;
      for (let parent = (at - 1) >> 1; at > 0 && swapIfBefore(at, parent); parent = (at - 1) >> 1)
        at = parent;
    },
    pop() {
      const top = items[0];
      const last = items.pop();
      if (items.length > 0 && last !== undefined) {
        items[0] = last;
        sink();
      }
      return top;
    },
    peek: () => items[0],
  };
}
