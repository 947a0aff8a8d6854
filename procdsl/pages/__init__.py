"""How results look: `comparisons` and searches; grammars, in the terminal (`terminal`) or a `figure`."""
