/** Where the story is told: kubectl's own output with a line on what to look at, or one line of JSON a scene. */
export interface Teller {
  heading(title: string, text: string): void;
  /** Runs the command, shows it with its output, and says what to look at. */
  show(command: string, lookAt: string): Promise<void>;
  /** What happens meanwhile. */
  say(text: string): void;
  facts(scene: string, facts: object): void;
}

interface Output {
  write(text: string): unknown;
}

export function createTeller(out: Output, kubectl: (...args: string[]) => Promise<string>): Teller {
  const line = (text: string) => out.write(`${text}\n`);
  let scenes = 0;
  return {
    heading(title, text) {
      scenes++;
      line(`\n── ${scenes}. ${title} ${"─".repeat(Math.max(3, 96 - title.length))}\n${text}\n`);
    },
    async show(command, lookAt) {
      const output = await kubectl(...command.split(" "));
      line(`$ kubectl ${command}\n${output.trimEnd()}\n  ↑ ${lookAt}\n`);
    },
    say: (text) => void line(`  … ${text}\n`),
    facts() {},
  };
}

export function createJsonTeller(out: Output): Teller {
  return {
    heading() {},
    show: () => Promise.resolve(),
    say() {},
    facts: (scene, facts) => void out.write(`${JSON.stringify({ scene, ...facts })}\n`),
  };
}
