"""procdsl: a declarative language for procedural-pretraining studies, and what is true of them."""
