"""What is known of words: how a text is cut, folded and compared, and its days, numbers and names. No articles here."""
