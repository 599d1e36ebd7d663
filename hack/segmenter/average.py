"""Averages the weights of states that were taught one after another, as a state to go on from or to export.

Run:  python average.py --states A/state.pt B/state.pt --out C/state.pt
What one of them learnt and another lost is mostly kept in the mean ("model soups", arXiv 2203.05482). Steps and the
optimizer's memory are those of the last.
"""

import argparse
import pathlib

import torch


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--states", nargs="+", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    states = [torch.load(path) for path in options.states]
    mean = {name: sum(state["average"][name] for state in states) / len(states) for name in states[0]["average"]}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**states[-1], "net": mean, "average": mean}, options.out)


if __name__ == "__main__":
    main()
