"""How the built-in starter model is made: lexicon, grammar, examples, training, conversion and evaluation.

    lexicon/    the hand-written words and phrases in five languages; a `*` marks the small first-stage lexicon
    words.py    reads the lexicon into values
    grammar/    one meaning, five sentences
    examples/   endless examples of the six jobs, in the prompts that `edgellm.tasks` sends
    tokenizer.py, model.py, optimizer.py, batches.py, train.py    the model and its training
    convert.py  checkpoint to GGUF; evaluate.py measures the GGUF through the program's own runtime

One command each: `python -m starter.train --out starter/runs/NAME`, `python -m starter.convert`,
`python -m starter.evaluate`. Training needs only torch, tokenizers and numpy.
"""
