"""Regular languages: automata, their algebra, and what is counted on them."""
