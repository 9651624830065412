"""People: from claims to the year that both sides accept."""
