"""Makes the golden files of gpu-runner/diffusion/goldens anew: all parts, or those named.

Run:  node hack/diffusion/cli.ts goldens.py [PART ...]
"""

import importlib
import subprocess
import sys
from pathlib import Path

from clip_vocabulary import GOLDENS

PARTS = ("tokenizer", "schedulers", "models", "pipelines")


def main(chosen: list[str]) -> None:
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in chosen or PARTS:
        print(part, file=sys.stderr)
        importlib.import_module(part).make()
    format_json()


def format_json() -> None:
    """As the repository's formatter wants it, so that a golden made anew differs only where its numbers do."""
    prettier = Path(__file__).resolve().parents[2] / "node_modules" / "prettier" / "bin" / "prettier.cjs"
    subprocess.run(["node", prettier, "--write", "--log-level", "warn", GOLDENS], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
