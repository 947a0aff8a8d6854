"""The rule language of the kinds `cfg` and `mcfg`: from text to weighted rules over interned symbols.

`syntax` reads the text, `expand` binds its names and multiplies out indices, `trees` is what is left: a
weighted regular tree grammar whose rules carry a yield.
"""
