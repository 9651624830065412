"""What governs beside what is paid: a section of an agreement a file, with its words, terms and whom they favor."""
