"""Whether a result is more than luck: designs, stopping, clocks, persistence."""
