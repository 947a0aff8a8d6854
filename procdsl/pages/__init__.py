"""How descriptions of grammars look: in the terminal (`terminal`) and as a picture (`figure`)."""
