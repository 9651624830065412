"""Looking at a draft: its traps, which payment, their statement against ours."""
