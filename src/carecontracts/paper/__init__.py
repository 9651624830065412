"""What a contract looks like on paper."""
