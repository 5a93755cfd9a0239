"""A program that writes chats until it is killed: run by the tests with a database and an interval.

Prints what it was promised to be saved (`saved ID TEXT`) and, with the time, each piece handed to a stream.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

from edgellm.chats.store import Store


def main(path: Path) -> None:
    """Store a question, stream an answer to it, and so on, until killed."""
    store = Store(path)
    chat = store.create("Kill").id
    parent = None
    for number in itertools.count():
        question = store.add(chat, parent, "user", f"question {number}")
        print(f"saved {question.id} question {number}", flush=True)
        writer = store.begin(chat, question.id)
        print(f"begun {writer.message}", flush=True)
        for piece in range(40 if number % 2 == 0 else 4000):
            text = f"{piece}好 "
            writer.append(text)
            print(f"piece {writer.message} {piece} {time.monotonic()}", flush=True)
            time.sleep(0.002)
        writer.finish("done", {"pieces": piece})
        print(f"finished {writer.message} {piece}", flush=True)
        parent = writer.message


if __name__ == "__main__":
    main(Path(sys.argv[1]))
