"""Understanding a response: from raw text to a letter, a yes or no, or a phrase, whatever the gold answer is."""
