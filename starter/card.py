"""Writes assets/starter/CARD.md: `python -m starter.card RUN RESULT` fills `card.md` with a run and its measures.

RESULT is a file whose last line is the `RESULT {json}` of `starter.evaluate`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from starter.examples.refusals import HELD_OUT
from starter.train import Recipe
from starter.words import Lexicon

ASSETS = Path("assets/starter")
TARGETS = {
    "translate": 90,
    "summarize": 85,
    "classify": 95,
    "answer said": 80,
    "answer open": 80,
    "story": 95,
    "reply": 95,
    "chat": 95,
    "refusal": 95,
}


def table(result: dict[str, float]) -> str:
    """The measures; those with a target in bold."""
    rows = []
    for name, share in result.items():
        target = f"{TARGETS[name]} %" if name in TARGETS else ""
        rows.append(f"| {f'**{name}**' if target else name} | {100 * share:.1f} % | {target} |")
    return "\n".join(rows)


def missed(result: dict[str, float]) -> str:
    """A sentence on the targets that were not reached."""
    names = [name for name, target in TARGETS.items() if 100 * result[name] < target]
    return f"Missed: {', '.join(names)}." if names else "All targets of the first version are met."


def facts(run: Path) -> dict[str, Any]:
    """What the template needs of the run and the lexicon."""
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    recipe, lexicon = state["recipe"], Lexicon.read()
    others = len(lexicon.words) + len(lexicon.phrases) + len(lexicon.weather)
    words = json.loads((ASSETS / "words.json").read_text(encoding="utf-8"))
    return {
        **{name: recipe[name] for name in ("layers", "width", "heads", "inner", "seed")},
        "vocabulary": state["model"]["embedding"].shape[0],
        "parameters": f"{sum(weight.numel() for weight in state['model'].values()) / 1e6:.1f}",
        "size": f"{(ASSETS / 'starter.gguf').stat().st_size / 1e6:.1f}",
        "nouns": len(lexicon.nouns),
        "verbs": len(lexicon.verbs),
        "adjectives": len(lexicon.adjectives),
        "names": len(lexicon.by_kind["name"]),
        "others": others,
        "forms": f"{sum(len(forms) for forms in words.values()):,}",
        "tokens": f"{state['seen'] / 1e6:.1f}",
        "total": f"{state['elapsed'] / 60:.1f}",
        "steps": f"{state['step']:,}",
        "first": f"{100 * Recipe().first_stage:.0f}",
        "last": f"{100 * (1 - Recipe().last_stage):.0f}",
        "decay": f"{100 * Recipe().decay:.0f}",
        "refusals": len(HELD_OUT),
    }


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m starter.card", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--n", type=int, default=200)
    args = parser.parse_args(argv)
    last = args.result.read_text(encoding="utf-8").strip().splitlines()[-1]
    result: dict[str, float] = json.loads(last.removeprefix("RESULT "))
    template = Path(__file__).with_name("card.md").read_text(encoding="utf-8")
    text = template.format(**facts(args.run), table=table(result), missed=missed(result), n=args.n)
    (ASSETS / "CARD.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
