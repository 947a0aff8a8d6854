"""Where the documents of corpora come from. One file a kind, found by its name, as is what reads it."""
