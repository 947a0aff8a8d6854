"""The algebra of formal languages: every module beside this one that defines a `Grammar` is a kind."""
