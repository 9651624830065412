"""Claims: the five tables, how they are read, and what may be wrong with them."""
