"""The closed set of things the machine can do: generator programs and measurements, as frozen types.

Grammars, sources and evaluations are open families; each of their kinds lowers to these. Plans contain
programs, `procdsl.generate` says slowly what they mean, `runner.generators` says it fast, and the runner
knows nothing else. A program speaks in *ids*: the alphabet's ids come first, 0 .. A-1, then the specials.
`semantics` numbers live in the operations that hold programs.

Two shapes of row. A *word program* draws words of a length law: a row is ``<bos>`` and one word that fills
it, or as many whole words as fit, each followed by ``<end>``; its specials are always `SPECIALS`, in that
order. Any other program lays out its own rows. Everything a program compares when it samples is a whole
number, so that every backend decides alike.

To add a program of kind *x*: its type in `procdsl/programs/x.py`; its meaning in `procdsl/generate/x.py`;
its kernel in `runner/generators/x.py`. All are found by name; `docs/decisions/0010-generator-programs.md`
says what they must hold. A measurement's type is likewise a file in `measurements`. A file is imported when
a plan, or a module, names what is in it: a study makes the classes that it uses.
"""
