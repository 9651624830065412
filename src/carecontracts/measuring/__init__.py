"""The parts of a contract's measurement section, one file each: its words, its terms, how it is worked out."""
